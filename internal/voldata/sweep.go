package voldata

import (
	"context"
	"errors"
	"strconv"
	"strings"
)

// Sweep removes containers of this package that nobody can need any more: those whose time is over, whoever made them, and
// those of this holder that it knows nothing of, because a process before it has made them. It returns how many they were.
// It removes no volumes.
func (v *Volumes) Sweep(ctx context.Context) (int, error) {
	found, err := v.list(ctx)
	if err != nil {
		return 0, err
	}

	var errs []error
	n := 0
	for i := range found {
		s := &found[i]
		if !v.orphaned(s.Labels, s.Names) {
			continue
		}
		c := &mounted{volumes: v, volume: "of a container that nobody holds", id: s.ID}
		if err := c.close(ctx); err != nil {
			errs = append(errs, err)
			continue
		}
		n++
	}

	return n, errors.Join(errs...)
}

func (v *Volumes) orphaned(labels map[string]string, names []string) bool {
	for _, name := range names {
		if v.held(strings.TrimPrefix(name, "/")) {
			return false
		}
	}
	if labels[LabelHolder] == v.o.Holder {
		return true
	}
	until, err := strconv.ParseInt(labels[LabelUntil], 10, 64)

	return err != nil || v.o.Now().Unix() > until
}
