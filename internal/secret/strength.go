package secret

import (
	"math"
	"strings"
)

// StrongBits is how strong an imported key must be unless somebody accepts weak ones: out
// of reach of guessing for good.
const StrongBits = 112

// Strength is how many bits a key made elsewhere has at most: as many as its length and the
// sorts of its characters give, if they were chosen at random. Runs such as "aaaa" or "1234"
// count as three characters, and a text that repeats itself counts once. Words are not known:
// a passphrase is weaker than this says.
func Strength(key string) int {
	key = key[:period(key)]
	return int(float64(withoutRuns(key)) * math.Log2(float64(choices(key))))
}

// choices is the size of the smallest usual alphabet that has all the characters: digits,
// hexadecimal digits, letters and digits, or these with punctuation. Marks that stand
// between groups, or for nothing, are of none.
func choices(key string) int {
	var digits, lower, upper, pastF, other bool
	for i := range len(key) {
		switch c := key[i]; {
		case c >= '0' && c <= '9':
			digits = true
		case c >= 'a' && c <= 'z':
			lower, pastF = true, pastF || c > 'f'
		case c >= 'A' && c <= 'Z':
			upper, pastF = true, pastF || c > 'F'
		case !strings.ContainsRune(marks+"+/", rune(c)):
			other = true
		}
	}
	if lower != upper && !pastF && !other {
		return 16
	}
	n := 0
	for _, sort := range []struct {
		there bool
		size  int
	}{{digits, 10}, {lower, 26}, {upper, 26}, {other, 32}} {
		if sort.there {
			n += sort.size
		}
	}
	return max(n, 2)
}

const marks = "-_.~="

// withoutRuns counts the characters that tell something, where runs of four and more that
// stay the same, rise or fall by one count as three.
func withoutRuns(key string) int {
	n, run, step := 0, 0, 0
	for i := range len(key) {
		if strings.IndexByte(marks, key[i]) >= 0 {
			continue
		}
		if i == 0 {
			n = 1
			continue
		}
		d := int(key[i]) - int(key[i-1])
		if d >= -1 && d <= 1 && (run == 0 || d == step) {
			run, step = run+1, d
		} else {
			run = 0
		}
		if run < 3 {
			n++
		}
	}
	return n
}

// period is the length of the shortest text of which the key is nothing but repetitions.
func period(key string) int {
	border := make([]int, len(key)+1)
	border[0] = -1
	for i, k := 0, -1; i < len(key); {
		for k >= 0 && key[i] != key[k] {
			k = border[k]
		}
		i, k = i+1, k+1
		border[i] = k
	}
	p := len(key) - border[len(key)]
	if len(key) == 0 || len(key) < 2*p {
		return len(key)
	}
	return p
}
