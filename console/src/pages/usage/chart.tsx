import '@mantine/charts/styles.css';
import { BarChart } from '@mantine/charts';
import { number } from '../../words';
import { type By, type Period, periodName } from './periods';

/** Calls over time. What it shows stands in the table as well, for those who can't see it. */
export default function UsageChart({ list, by, label }: { list: Period[]; by: By; label: string }) {
  const data = list.map((period) => ({
    at: periodName(period.at, by, by === 'hour' && list.length > 25),
    'Let through': period.valid,
    Refused: period.denied,
  }));
  return (
    <div role="img" aria-label={label} className="usagechart">
      <BarChart
        h={260}
        data={data}
        dataKey="at"
        type="stacked"
        series={[
          { name: 'Let through', color: 'var(--c-through)' },
          { name: 'Refused', color: 'var(--c-refused)' },
        ]}
        withLegend
        legendProps={{ verticalAlign: 'top', height: 32 }}
        valueFormatter={number}
        yAxisProps={{ width: 56, allowDecimals: false }}
        xAxisProps={{ minTickGap: 32 }}
        tooltipAnimationDuration={0}
        barProps={{ isAnimationActive: false }}
        maxBarWidth={28}
        gridAxis="x"
      />
    </div>
  );
}
