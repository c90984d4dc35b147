package worker

import (
	"encoding/json"
	"fmt"

	"github.com/dogker/dogker/reconciler/source"
)

// committed reads the answer to a question for a commit. What it says is shown, and nothing is done because of it but that: it is
// made fit to be shown.
func committed(d *json.Decoder) (source.Edited, error) {
	var l line
	if err := d.Decode(&l); err != nil {
		return source.Edited{}, fmt.Errorf("%w: %w", errAnswer, err)
	}

	switch {
	case l.Error != nil:
		return source.Edited{}, readable(l.Error)
	case l.Edited == nil:
		return source.Edited{}, errAnswer
	}

	e := *l.Edited
	if e.Markers < 0 || len(e.Changes) > source.MaxChanges || e.Commit != "" && !fullHash.MatchString(e.Commit) {
		return source.Edited{}, errAnswer
	}

	e.Branch, e.Revision = plain(e.Branch), plain(e.Revision)

	for i, c := range e.Changes {
		e.Changes[i] = source.Change{File: plain(c.File), Line: c.Line, OldValue: plain(c.OldValue), NewValue: plain(c.NewValue)}
	}

	return e, nil
}
