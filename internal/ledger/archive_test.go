package ledger

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// months fills a ledger with hours of use, at the times they would be charged, and payments. Of the first hour something was
// missed.
func months(t testing.TB, l *Ledger, term book.Term, tenant string, now *time.Time, from, n int64) {
	t.Helper()
	for hour := from; hour < from+n; hour++ {
		*now = start.Add(time.Duration(hour+1)*time.Hour + 15*time.Second)
		c := settled(charge(60*hour, 60, cpu("web", 3600, 7), cpu("db", 1801, 11)), -rupiah(5))
		if hour == 0 {
			c.Gaps = []book.Gap{{Cause: "CatchUpLimit", From: start.Unix(), To: start.Unix() + 60, Seconds: 60}}
		}
		must(t, l, term, tenant, c)
	}
	*now = now.Add(time.Minute)
	must(t, l, term, tenant, paid("o"+now.Format("060102150405"), 3*n))
}

// TestArchive: what was archived and pruned is still accounted for, by the ledger that goes on and by the files.
func TestArchive(t *testing.T) {
	client := openStore(t)
	now := start
	l := New(client, func() time.Time { return now })
	term, err := l.Claim(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	tenant, dir := newTenant(), t.TempDir()
	must(t, l, term, tenant, paid("o1", 2000), book.Grant{ID: "grant:a", Lot: book.Lot{ID: "a", Left: rupiah(50)}})
	months(t, l, term, tenant, &now, 0, 24)
	months(t, l, term, tenant, &now, 24, 24)
	statement := func(from, to time.Time) book.Statement {
		t.Helper()
		last, err := l.checkpoint(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		s, err := book.Summarize(tenant, last.Head.Balance(), l.Items(t.Context(), tenant, 0), from.Unix(), to.Unix())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	day2, day3 := start.Add(24*time.Hour), start.Add(48*time.Hour)
	before, keys := statement(day2, day3), len(dump(t, client, tenant))

	first, ok, err := l.Archive(t.Context(), term, tenant, day2, dir)
	if err != nil || !ok || first.Entries != 27 || first.Previous != "" {
		t.Fatalf("%+v, %v, %v", first, ok, err)
	}
	if _, err := l.Verify(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	if left := len(dump(t, client, tenant)); left > keys-3*20 {
		t.Errorf("%d keys of %d are left", left, keys)
	}
	if diff := cmp.Diff(before, statement(day2, day3)); diff != "" {
		t.Errorf("the statement of what was not archived is another one:\n%s", diff)
	}
	for key := range dump(t, client, tenant) {
		if strings.HasPrefix(key, idemKey(tenant, "gap:")) {
			t.Errorf("%q is left, which no operation can ask for again", key)
		}
	}
	// What was done before the checkpoint is still done, and a window that was charged is still charged.
	again, err := New(client, fixedClock).Do(t.Context(), book.Request{Tenant: tenant, Op: paid("o1", 2000)})
	if err != nil || !again.Replayed {
		t.Errorf("a payment whose entry is pruned, again: %+v, %v", again, err)
	}
	if _, err := l.Do(t.Context(), book.Request{Tenant: tenant, Op: charge(0, 60, cpu("web", 1, 1)), Term: term}); !errors.Is(err, book.ErrCharged) {
		t.Errorf("a window whose entry is pruned, again: %v", err)
	}
	must(t, l, term, tenant, book.RefundHold{Refund: "r1", Order: "o1", Amount: rupiah(1)}, book.RefundPost{Refund: "r1"})

	months(t, l, term, tenant, &now, 48, 2)
	second, ok, err := l.Archive(t.Context(), term, tenant, now.Add(time.Hour), dir)
	if err != nil || !ok || second.Previous != first.SHA256 {
		t.Fatalf("%+v, %v, %v", second, ok, err)
	}
	if _, err := l.Verify(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := l.Archive(t.Context(), term, tenant, day2, dir); err != nil || ok {
		t.Errorf("there is nothing to archive: %v, %v", ok, err)
	}

	var sum money.Micro
	for _, c := range []book.Checkpoint{first, second} {
		got := readArchive(t, filepath.Join(dir, c.File), func(item book.Item) { sum += item.Entry.Amount })
		c.File = ""
		if diff := cmp.Diff(c, got); diff != "" {
			t.Errorf("read back:\n%s", diff)
		}
	}
	if sum != second.Head.Balance() {
		t.Errorf("the amounts in the files add up to %s, the checkpoint says %s", sum, second.Head.Balance())
	}
}

func readArchive(t *testing.T, path string, visit func(book.Item)) book.Checkpoint {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, c, err := ReadArchive(bytes.NewReader(data), func(item book.Item) error { visit(item); return nil })
	if err != nil {
		t.Fatal(err)
	}

	return c
}

// TestArchiveOfAFault: what does not verify is neither archived nor pruned.
func TestArchiveOfAFault(t *testing.T) {
	client := openStore(t)
	l, term := open(t, client)
	tenant, dir := newTenant(), t.TempDir()
	must(t, l, term, tenant, paid("o1", 100), paid("o2", 100))
	if _, err := client.Delete(t.Context(), entryKey(tenant, 1)); err != nil {
		t.Fatal(err)
	}
	before := dump(t, client, tenant)
	if _, _, err := l.Archive(t.Context(), term, tenant, start.Add(time.Hour), dir); !errors.Is(err, book.ErrBroken) {
		t.Errorf("archived: %v", err)
	}
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Errorf("there are files: %v", files)
	}
	if diff := cmp.Diff(before, dump(t, client, tenant)); diff != "" {
		t.Errorf("something was written:\n%s", diff)
	}
}

// TestArchiveTampering: a file in which a bit was changed, or from which a line is missing, is not read to its end, or has
// another hash than its checkpoint.
func TestArchiveTampering(t *testing.T) {
	client := openStore(t)
	l, term := open(t, client)
	tenant, dir := newTenant(), t.TempDir()
	must(t, l, term, tenant, paid("o1", 100), settled(charge(0, 60, cpu("web", 3600, 7)), 0), paid("o2", 1))
	c, ok, err := l.Archive(t.Context(), term, tenant, start.Add(2*time.Hour), dir)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	data, err := os.ReadFile(filepath.Join(dir, c.File))
	if err != nil {
		t.Fatal(err)
	}
	c.File = ""
	sound := func(data []byte) bool {
		_, got, err := ReadArchive(bytes.NewReader(data), func(book.Item) error { return nil })
		return err == nil && cmp.Equal(got, c)
	}
	if !sound(data) {
		t.Fatal("the file is not read as it was written")
	}
	for at := range data {
		if at%7 != 0 && !long() {
			continue
		}
		changed := bytes.Clone(data)
		changed[at] ^= 1
		if sound(changed) {
			t.Fatalf("byte %d was changed and nobody noticed", at)
		}
	}
	lines := strings.SplitAfter(string(data), "\n")
	for i := range lines[:len(lines)-1] {
		if sound([]byte(strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), ""))) {
			t.Errorf("line %d is missing and nobody noticed", i+1)
		}
	}
	for _, text := range []string{"", "A {}\n", "Z {}\n", "E {}\n", `A {"format":"dogker-ledger-archive/9"}` + "\n", "x\n", "\n"} {
		if sound([]byte(text)) {
			t.Errorf("%q is read as an archive", text)
		}
	}
}
