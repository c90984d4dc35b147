package book

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/money"
)

// history is a ledger with an entry of nearly every kind.
func history(t testing.TB) *shelf {
	t.Helper()

	return newShelf().must(t,
		paid("o1", 100), gift("w", 5, 0, ""),
		charge(0, 30, hours("web", money.CPU, 1, 3)), settled(charge(30, 30, hours("web", money.Memory, 2, 7)), 0),
		RefundHold{Refund: "r1", Order: "o1", Amount: rupiah(10), Actor: "ada", Reason: "asked for"}, RefundPost{Refund: "r1", Transaction: "t"},
		RefundHold{Refund: "r2", Order: "o1", Amount: rupiah(10)}, RefundVoid{Refund: "r2"},
		settled(charge(60, 1, hours("db", money.Storage, 3, 50)), -rupiah(20)),
		Skip{From: firstWindow + 61, Through: firstWindow + 70, Reason: "outage"},
		Adjust{ID: "a1", Amount: rupiah(60), Reverses: 3, Actor: "ada", Reason: "sorry"},
		Chargeback{Order: "o1", Cumulative: rupiah(90), Amount: rupiah(90), Reason: "bank"},
		WriteOff{ID: "w1", Actor: "ada", Reason: "closed"},
	)
}

// TestTampering (invariant 2): an entry in which one bit was changed is found, and so is one that was dropped, repeated or
// moved.
func TestTampering(t *testing.T) {
	s := history(t)
	checkShelf(t, s)
	stored := s.stored()

	for i, entry := range stored {
		before, err := replayAll(stored[:i])
		if err != nil {
			t.Fatal(err)
		}
		for at := range entry {
			for bit := range 8 {
				if bit != at%8 && os.Getenv("DOGKER_LONG") == "" {
					continue
				}
				changed := slices.Clone(entry)
				changed[at] ^= 1 << bit
				if _, err := NewReplay(before.Head()).Next(changed); err == nil {
					t.Fatalf("bit %d of byte %d of entry %d was changed, and nobody noticed:\n%s", bit, at, i+1, changed)
				}
			}
		}
	}
	for i := range stored {
		if i < len(stored)-1 {
			if _, err := replayAll(slices.Delete(slices.Clone(stored), i, i+1)); !errors.Is(err, ErrBroken) {
				t.Errorf("entry %d was dropped: %v", i+1, err)
			}
		}
		if _, err := replayAll(slices.Insert(slices.Clone(stored), i, stored[i])); !errors.Is(err, ErrBroken) {
			t.Errorf("entry %d was repeated: %v", i+1, err)
		}
		for j := range i {
			swapped := slices.Clone(stored)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			if _, err := replayAll(swapped); !errors.Is(err, ErrBroken) {
				t.Errorf("entries %d and %d were swapped: %v", j+1, i+1, err)
			}
		}
	}
	// The last one dropped is a chain that is whole; only the head knows.
	r, err := replayAll(stored[:len(stored)-1])
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Matches(s.state.Head); !errors.Is(err, ErrBroken) {
		t.Errorf("the last entry was dropped: %v", err)
	}
}

// TestForgery: whoever changes an entry and works its hash out anew is found by the next one, and whoever puts all hashes
// right is found by the rules that postings obey.
func TestForgery(t *testing.T) {
	s := history(t)
	forged := slices.Clone(s.stored())
	e := s.entries[0]
	e.Postings = []Posting{{AccountPaid, rupiah(1000)}, {AccountGateway, -rupiah(1000)}}
	e.Amount, e.BalanceAfter = rupiah(1000), rupiah(1000)
	e.Hash = e.digest(e.body())
	forged[0] = e.Encode()
	if _, err := replayAll(forged); !errors.Is(err, ErrBroken) {
		t.Errorf("the first entry was forged: %v", err)
	}

	e.Postings = []Posting{{AccountPaid, rupiah(1000)}, {AccountGateway, -rupiah(1)}}
	e.Hash = e.digest(e.body())
	if _, err := replayAll([][]byte{e.Encode()}); !errors.Is(err, ErrBroken) {
		t.Errorf("money was made: %v", err)
	}
}

// TestNewer: what a newer version has written ends reading; it is neither skipped nor taken for damage.
func TestNewer(t *testing.T) {
	s := newShelf().must(t, paid("o1", 100))
	e := s.entries[0]
	for name, change := range map[string]func(){
		"type":    func() { e = s.entries[0]; e.Type = "Donation" },
		"version": func() { e = s.entries[0]; e.Version = 2 },
	} {
		change()
		e.Hash = e.digest(e.body())
		if _, err := replayAll([][]byte{e.Encode()}); !errors.Is(err, ErrNewer) {
			t.Errorf("an unknown %s: %v", name, err)
		}
	}
	extended := bytes.Replace(s.stored()[0], []byte(`"hash"`), []byte(`"tax":"1","hash"`), 1)
	if _, err := replayAll([][]byte{extended}); !errors.Is(err, ErrNewer) {
		t.Errorf("an unknown field: %v", err)
	}

	head := s.state.Head.Encode()
	if _, err := DecodeHead(bytes.Replace(head, []byte(`"v":1`), []byte(`"v":2`), 1)); !errors.Is(err, ErrNewer) {
		t.Errorf("a head of a newer version: %v", err)
	}
	if _, err := DecodeHead(bytes.Replace(head, []byte(`{`), []byte(`{"tax":1,`), 1)); !errors.Is(err, ErrNewer) {
		t.Errorf("a head with an unknown field: %v", err)
	}
	if _, err := DecodeHead(append(head, ' ')); !errors.Is(err, ErrBroken) {
		t.Errorf("a head in another spelling: %v", err)
	}
}

// TestRecordTampering: numbers of a record that were changed are found, with the entry and without.
func TestRecordTampering(t *testing.T) {
	s := history(t)
	for _, e := range s.entries {
		if e.Type != TypeUsage {
			continue
		}
		period, err := e.Period()
		if err != nil {
			t.Fatal(err)
		}
		record := s.records[period]
		if _, err := record.Proves(e); err != nil {
			t.Errorf("entry %d: %v", e.Seq, err)
		}
		for name, change := range map[string]func(r *Record){
			"charge":  func(r *Record) { r.Lines[0].Charge++ },
			"seconds": func(r *Record) { r.Lines[0].Seconds++ },
			"price":   func(r *Record) { r.Lines[0].Price-- },
			"waived":  func(r *Record) { r.Waived++ },
			"list":    func(r *Record) { r.PriceList = "p2" },
			"settled": func(r *Record) { r.Settled = false },
		} {
			r := record
			r.Lines = slices.Clone(record.Lines)
			change(&r)
			if _, err := r.Proves(e); !errors.Is(err, ErrBroken) {
				t.Errorf("the %s of the record of entry %d was changed: %v", name, e.Seq, err)
			}
		}
		forged := record
		forged.Lines = slices.Clone(record.Lines)
		forged.Lines[0].Charge++
		e.Record, e.Amount = forged.Digest(), e.Amount-1
		if _, err := forged.Proves(e); !errors.Is(err, ErrBroken) {
			t.Errorf("a charge that no price explains: %v", err)
		}
	}
}

// TestEncodeIsOneSpelling: the hash is spliced in, which must give what encoding the whole would.
func TestEncodeIsOneSpelling(t *testing.T) {
	for _, e := range history(t).entries {
		if data := string(e.Encode()); !strings.HasSuffix(data, `,"hash":"`+e.Hash+`"}`) || strings.Count(data, `"hash"`) != 1 {
			t.Errorf("entry %d is written as %s", e.Seq, data)
		}
		again, err := DecodeEntry(e.Encode())
		if err != nil || again.Hash != e.Hash {
			t.Errorf("entry %d is read as %+v, %v", e.Seq, again, err)
		}
	}
}

// FuzzDecodeEntry: whatever lies in the store, reading it ends, and what is read is written as it was.
func FuzzDecodeEntry(f *testing.F) {
	for _, data := range history(f).stored() {
		f.Add(data)
	}
	f.Add([]byte(`{"v":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := DecodeEntry(data)
		if err != nil {
			if !errors.Is(err, ErrBroken) && !errors.Is(err, ErrNewer) {
				t.Fatalf("%v is neither broken nor newer", err)
			}
			return
		}
		if !bytes.Equal(e.Encode(), data) {
			t.Fatalf("%q is written as %q", data, e.Encode())
		}
	})
}

// TestDrawsAddUp (invariant 15): whatever lots there are, a settlement draws all of what may be drawn, nothing twice, none
// below zero and nothing of what has expired, in the order that was promised.
func TestDrawsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lots, due := drawLots(t), map[money.Meter]money.Micro{}
		for _, m := range money.Meters() {
			due[m] = money.Micro(rapid.Int64Range(0, 300).Draw(t, string(m)))
		}
		end := rapid.Int64Range(0, 5).Draw(t, "end") * HourSeconds
		draws, left := burn(lots, due, end)

		total, drawn := left, map[string]money.Micro{}
		for _, d := range draws {
			total += d.amount
			drawn[d.lot] += d.amount
		}
		var want money.Micro
		for _, amount := range due {
			want += amount
		}
		if total != want || left < 0 {
			t.Fatalf("%v and %s left for %v", draws, left, due)
		}
		for i, l := range lots {
			expired := l.Expires != 0 && l.Expires < end
			if d := drawn[l.ID]; d < 0 || d > l.Left || (expired && d > 0) || (l.Meter != "" && d > due[l.Meter]) {
				t.Fatalf("%s of lot %+v", d, l)
			}
			// A later lot that could have been spared was not: an earlier one that pays for the same must be empty.
			for _, later := range lots[i+1:] {
				spared := !expired && l.Meter == "" && drawn[l.ID] < l.Left && drawn[later.ID] > 0
				if spared {
					t.Fatalf("%s of %+v was drawn before %+v was empty", drawn[later.ID], later, l)
				}
			}
			if !expired && l.Meter == "" && drawn[l.ID] < l.Left && left > 0 {
				t.Fatalf("%s is left to pay, and %+v is not empty", left, l)
			}
		}
	})
}

func drawLots(t *rapid.T) []Lot {
	var h Head
	for i := range rapid.IntRange(0, 8).Draw(t, "lots") {
		l := Lot{
			ID:      string(rune('a' + i)),
			Expires: rapid.Int64Range(0, 4).Draw(t, "expires") * HourSeconds,
			Meter:   rapid.SampledFrom([]money.Meter{"", "", money.CPU, money.Storage}).Draw(t, "meter"),
		}
		if err := h.addLot(l); err != nil {
			t.Fatal(err)
		}
		if err := h.moveLot(l.ID, money.Micro(rapid.Int64Range(1, 200).Draw(t, "left"))); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.IsSortedFunc(h.Lots, burnOrder) {
		t.Fatalf("lots are in the order %+v", h.Lots)
	}

	return h.Lots
}
