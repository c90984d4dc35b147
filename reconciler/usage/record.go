package usage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// version of what is stored. A change of its meaning is another version.
const version = 1

// MaxRecordBytes bounds the record of one tenant, which is written in one transaction: room for about 5,000 tasks.
const MaxRecordBytes = 512 << 10

// What can be wrong with what is stored. Nothing may be charged to the tenant before a person has looked at it.
var (
	// ErrNewer is a record that a newer version has written.
	ErrNewer = errors.New("written by a newer version")
	// ErrCorrupt is a record that nobody can have written.
	ErrCorrupt = errors.New("not what was written")
	// ErrTooLarge is an account of more tasks than a record has room for.
	ErrTooLarge = errors.New("more tasks than a record has room for")
)

// record is an Account as it is stored. Runs of one line are together, so that their workload is written once.
type record struct {
	Version int           `json:"version"`
	Through int64         `json:"through"`
	At      int64         `json:"at"`
	Groups  []recordGroup `json:"groups,omitempty"`
	Gaps    []Gap         `json:"gaps,omitempty"`
}

type recordGroup struct {
	Workload
	Shape

	Runs []recordRun `json:"runs"`
}

type recordRun struct {
	ID   string `json:"id"`
	Node string `json:"node,omitempty"`
	From int64  `json:"from"`
	To   int64  `json:"to,omitempty"`
	Sure int64  `json:"sure,omitempty"`
}

// Encode writes the account as it is stored. It fails with ErrTooLarge.
func (a Account) Encode() ([]byte, error) {
	r := record{Version: version, Through: a.Through, At: a.At, Gaps: a.gaps}
	for _, x := range a.runs {
		n := len(r.Groups)
		if n == 0 || r.Groups[n-1].Workload != x.workload || r.Groups[n-1].Shape != x.shape {
			r.Groups = append(r.Groups, recordGroup{Workload: x.workload, Shape: x.shape})
			n++
		}
		r.Groups[n-1].Runs = append(r.Groups[n-1].Runs, recordRun{ID: x.id, Node: x.node, From: x.from, To: x.to, Sure: x.sure})
	}

	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode usage of %q: %w", a.Tenant, err)
	}
	if len(data) > MaxRecordBytes {
		return nil, fmt.Errorf("encode usage of %q: %d bytes, at most %d: %w", a.Tenant, len(data), MaxRecordBytes, ErrTooLarge)
	}

	return data, nil
}

// DecodeAccount reads an account as Encode has written it, to the byte. It fails with ErrNewer or ErrCorrupt.
func DecodeAccount(tenant string, data []byte) (Account, error) {
	var r record
	if err := decode(data, &r); err != nil {
		return Account{}, fmt.Errorf("decode usage of %q: %w", tenant, err)
	}

	a := Account{Tenant: tenant, Through: r.Through, At: r.At, gaps: r.Gaps}
	for _, g := range r.Groups {
		for _, x := range g.Runs {
			a.runs = append(a.runs, run{
				id: x.ID, node: x.Node, workload: g.Workload, shape: g.Shape, from: x.From, to: x.To, sure: x.Sure,
			})
		}
	}
	if err := a.check(); err != nil {
		return Account{}, fmt.Errorf("decode usage of %q: %w: %w", tenant, err, ErrCorrupt)
	}

	again, err := a.Encode()
	if err != nil {
		return Account{}, fmt.Errorf("decode usage of %q: %w: %w", tenant, err, ErrCorrupt)
	}
	if !bytes.Equal(again, data) {
		return Account{}, fmt.Errorf("decode usage of %q: it is not written as this program writes it: %w", tenant, ErrCorrupt)
	}

	return a, nil
}

// latest is a Unix time that nobody will see, so far from the largest number that nothing overflows.
const latest = 1 << 40

// check tells what in an account cannot be.
func (a Account) check() error {
	if min(a.Through, a.At) < 0 || max(a.Through, a.At) > latest {
		return fmt.Errorf("through %d and at %d must be from 0 to %d", a.Through, a.At, latest)
	}

	open := map[string]bool{}
	for i, r := range a.runs {
		switch {
		case r.id == "" || r.from <= 0 || max(r.from, r.to) > latest:
			return fmt.Errorf("run %d: id %q must be set, and from %d and to %d be from 1 to %d", i, r.id, r.from, r.to, latest)
		case r.shape == Shape{} || min(r.shape.NanoCPUs, r.shape.MemoryBytes, r.shape.Replicas, r.shape.StorageBytes) < 0:
			return fmt.Errorf("run %q: it uses %+v", r.id, r.shape)
		case !r.open() && (r.to <= r.from || r.sure != 0):
			return fmt.Errorf("run %q: it ends at %d, begins at %d and is sure until %d", r.id, r.to, r.from, r.sure)
		case r.sure < 0 || r.sure > a.At:
			return fmt.Errorf("run %q: it is sure until %d, after the last sample at %d", r.id, r.sure, a.At)
		case r.open() && open[r.id]:
			return fmt.Errorf("run %q goes on twice", r.id)
		case i > 0 && a.runs[i-1].compare(r) >= 0:
			return fmt.Errorf("run %q is out of order", r.id)
		}
		open[r.id] = open[r.id] || r.open()
	}

	return nil
}

// Mark says until when everything is as stored.
type Mark struct {
	// At is the last sample, in Unix time.
	At int64
	// Behind are tenants for whom it was not taken in, and the last one that was.
	Behind map[string]int64
}

type storedMark struct {
	Version int              `json:"version"`
	At      int64            `json:"at"`
	Behind  map[string]int64 `json:"behind,omitempty"`
}

// For is the last sample that was taken in for a tenant.
func (m Mark) For(tenant string) int64 {
	if at, behind := m.Behind[tenant]; behind {
		return at
	}

	return m.At
}

// Encode writes the mark as it is stored.
func (m Mark) Encode() ([]byte, error) {
	data, err := json.Marshal(storedMark{Version: version, At: m.At, Behind: m.Behind})
	if err != nil {
		return nil, fmt.Errorf("encode mark of metering: %w", err)
	}

	return data, nil
}

// DecodeMark reads a mark; that of nothing is zero. It fails with ErrNewer or ErrCorrupt.
func DecodeMark(data []byte) (Mark, error) {
	if len(data) == 0 {
		return Mark{}, nil
	}
	var s storedMark
	if err := decode(data, &s); err != nil {
		return Mark{}, fmt.Errorf("decode mark of metering: %w", err)
	}
	for tenant, at := range s.Behind {
		if at < 0 || at > s.At {
			return Mark{}, fmt.Errorf("decode mark of metering: %q is behind at %d, the mark is at %d: %w", tenant, at, s.At, ErrCorrupt)
		}
	}

	return Mark{At: s.At, Behind: s.Behind}, nil
}

// decode reads strictly: the version first, then no field that is not known and nothing behind.
func decode(data []byte, into any) error {
	var v struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return fmt.Errorf("%w: %w", err, ErrCorrupt)
	}
	if v.Version > version {
		return fmt.Errorf("version %d, this program knows %d: %w", v.Version, version, ErrNewer)
	}
	if v.Version != version {
		return fmt.Errorf("version %d: must be %d: %w", v.Version, version, ErrCorrupt)
	}

	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", err, ErrCorrupt)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("there is something behind it: %w", ErrCorrupt)
	}

	return nil
}
