package authority

import (
	"errors"
)

var errUnfinished = errors.New("authority: not there yet")
