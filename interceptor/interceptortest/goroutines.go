package interceptortest

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

// silent drops what net/http logs about aborted connections.
var silent = log.New(io.Discard, "", 0)

// goroutines returns how many goroutines of the site there are, and their stacks
// in the format of a goroutine profile.
func (s *site) goroutines() (count int, stacks string) {
	var profile bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1) // a Buffer does not fail
	label := fmt.Sprintf("%q:%q", siteLabel, s.id)
	_, groups, _ := strings.Cut(profile.String(), "\n") // after the total
	var found []string
	for _, group := range strings.Split(groups, "\n\n") {
		if strings.Contains(group, label) {
			n, _, _ := strings.Cut(group, " ")
			same, _ := strconv.Atoi(n)
			count += same
			found = append(found, group)
		}
	}
	return count, strings.Join(found, "\n\n")
}

func (s *site) stacks() string {
	_, stacks := s.goroutines()
	return stacks
}

// left waits until less than limit goroutines of a closed site are left, and
// after too long returns the stacks of those that stay. Goroutines of closed
// connections end a moment after the connection.
func (s *site) left(limit int, tooLong time.Duration) string {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	giveUp := time.After(tooLong)
	for {
		count, stacks := s.goroutines()
		if count < limit {
			return ""
		}
		select {
		case <-giveUp:
			return stacks
		case <-tick.C:
		}
	}
}
