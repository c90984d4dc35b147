package billing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/solvency"
)

// stateVersion is the format of a state. A change of what its fields mean needs another number.
const stateVersion = 1

// state is what decisions remember, in the State of a head. Spending is told from differences of what a head has used since
// ever, so that it does not matter when any of it is settled.
type state struct {
	Version int `json:"v"`
	solvency.State

	// Chargeback is true from a chargeback until the account's spec.hold is seen.
	Chargeback bool `json:"chargeback,omitempty"`
	// Month of the account, and what had been used when it began.
	Month     string      `json:"month,omitempty"`
	MonthBase money.Micro `json:"monthBase,omitempty"`
	// Hour of the last window that was charged, counted like windows; what had been used when it began; and what the hour
	// before it has cost.
	Hour     int64       `json:"hour,omitempty"`
	HourBase money.Micro `json:"hourBase,omitempty"`
	LastHour money.Micro `json:"lastHour,omitempty"`
	// Storage is what an hour of volumes costs, as measured. What containers cost is declared.
	Storage money.Micro `json:"storage,omitempty"`
}

// decodeState reads a state; that of nothing is new. It fails with book.ErrNewer or book.ErrBroken.
func decodeState(raw json.RawMessage) (state, error) {
	if len(raw) == 0 {
		return state{Version: stateVersion}, nil
	}
	var s state
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(&s)
	if err == nil && s.Version == stateVersion {
		return s, nil
	}
	var v struct {
		Version int `json:"v"`
	}
	switch {
	case json.Unmarshal(raw, &v) == nil && v.Version > stateVersion:
		return state{}, fmt.Errorf("decode state of account of version %d: %w", v.Version, book.ErrNewer)
	case err == nil:
		err = fmt.Errorf("must be %d", stateVersion)
	}

	return state{}, fmt.Errorf("decode state of account of version %d: %w: %w", v.Version, book.ErrBroken, err)
}

func (s state) encode() json.RawMessage {
	data, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("a state is made of strings, integers and times and cannot fail to encode: %v", err))
	}

	return data
}

// used is what a tenant has been charged since ever, settled or not.
func used(h book.Head) money.Micro { return h.Used + h.AccruedTotal() }

// count goes on with the month, the hour and the price of volumes after something happened to the head.
func (s *state) count(t Terms, before book.Head, after book.Outcome, now time.Time) {
	h := after.State.Head
	charged := h.ChargedThrough > before.ChargedThrough
	if month := Month(t.Account, now); s.Month != month {
		s.Month, s.MonthBase = month, used(before)
	}
	if !charged {
		return
	}
	// Use belongs to when it was had: what is charged late is no part of the month that has begun since.
	if had := time.Unix(book.WindowStart(h.ChargedThrough), 0); Month(t.Account, had) != s.Month {
		s.MonthBase += used(h) - used(before)
	}
	if hour := book.HourOf(h.ChargedThrough); hour != s.Hour {
		s.LastHour = 0
		if hour == s.Hour+1 {
			s.LastHour = used(before) - s.HourBase
		}
		s.Hour, s.HourBase = hour, used(before)
	}
	s.Storage = storageRate(after.State)
}

// storageRate is what an hour of volumes costs, going by the record of the last window.
func storageRate(s book.State) money.Micro {
	r := s.Record
	if r.Through != s.Head.ChargedThrough || r.Through < r.From {
		return 0
	}
	var cost money.Micro
	for _, l := range r.Lines {
		if l.Meter == money.Storage {
			cost += l.Charge
		}
	}
	hourly, err := cost.Times(book.HourSeconds / book.WindowSeconds)
	if err != nil {
		return cost
	}

	return hourly / money.Micro(r.Through-r.From+1)
}

// facts are what is so now.
func (s state) facts(t Terms, h book.Head, now time.Time) solvency.Facts {
	f := solvency.Facts{
		Now: now, Available: h.Available(), Rate: saturated(t.Rate, s.Storage), LastHour: s.lastHour(h, now),
		Month: Month(t.Account, now), Epoch: uint64(max(h.Epoch, 0)),
	}
	if f.Month == s.Month {
		f.Spent = max(used(h)-s.MonthBase, 0)
	}

	return f
}

// lastHour is what the last whole hour has cost; nothing if nothing was charged in it.
func (s state) lastHour(h book.Head, now time.Time) money.Micro {
	switch hour := book.HourOf(book.WindowAt(now)); {
	case hour <= s.Hour:
		return max(s.LastHour, 0)
	case hour == s.Hour+1:
		return max(used(h)-s.HourBase, 0)
	default:
		return 0
	}
}
