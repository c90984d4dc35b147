package ledger

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/book"
)

// cutIn replaces the only place of a text.
func cutIn(text, old, replacement string) string { return strings.Replace(text, old, replacement, 1) }

// TestVerify: a ledger as it should be is found to be so, and every kind of damage in the store is found (invariant 2).
func TestVerify(t *testing.T) {
	client := openStore(t)
	l, term := open(t, client)
	tenant := newTenant()
	must(t, l, term, tenant,
		paid("o1", 100), paid("o2", 50), charge(0, 30, cpu("web", 1800, 7)), settled(charge(30, 30, cpu("db", 1800, 9)), 0),
		book.RefundHold{Refund: "r1", Order: "o1", Amount: rupiah(10)}, book.RefundPost{Refund: "r1"},
		settled(charge(60, 1, cpu("web", 7200, 100)), -rupiah(20)), charge(61, 1, cpu("web", 61, 7)),
	)
	report, err := l.Verify(t.Context(), tenant)
	if err != nil || report.Entries != 7 || report.Records != 3 || report.FirstSeq != 1 || report.LastSeq != 7 {
		t.Fatalf("%+v, %v", report, err)
	}

	sound := dump(t, client, tenant)
	usage := slices.DeleteFunc(slices.Sorted(maps.Keys(sound)), func(k string) bool { return !strings.HasPrefix(k, usagePrefix(tenant)) })
	for name, damage := range map[string]func(stored map[string]string){
		"EntryChanged": func(s map[string]string) {
			s[entryKey(tenant, 3)] = cutIn(s[entryKey(tenant, 3)], `"time":1`, `"time":2`)
		},
		"EntryDropped":  func(s map[string]string) { delete(s, entryKey(tenant, 3)) },
		"LastDropped":   func(s map[string]string) { delete(s, entryKey(tenant, 7)) },
		"EntryRepeated": func(s map[string]string) { s[entryKey(tenant, 8)] = s[entryKey(tenant, 7)] },
		"EntriesSwapped": func(s map[string]string) {
			a, b := entryKey(tenant, 1), entryKey(tenant, 2)
			s[a], s[b] = s[b], s[a]
		},
		"EntryMoved": func(s map[string]string) {
			s[entryKey(tenant, 9)] = s[entryKey(tenant, 7)]
			delete(s, entryKey(tenant, 7))
		},
		"HeadOfMoreMoney": func(s map[string]string) {
			s[headKey(tenant)] = cutIn(s[headKey(tenant)], `"paid":"-20.`, `"paid":"980.`)
		},
		"HeadGone": func(s map[string]string) { delete(s, headKey(tenant)) },
		"CursorBack": func(s map[string]string) {
			s[headKey(tenant)] = cutIn(s[headKey(tenant)], `"chargedThrough":29`, `"chargedThrough":19`)
		},
		"CarryChanged": func(s map[string]string) {
			s[headKey(tenant)] = cutIn(s[headKey(tenant)], `"carry":{"cpu":`, `"carry":{"cpu":1`)
		},
		"RecordChanged":     func(s map[string]string) { s[usage[0]] = cutIn(s[usage[0]], `"seconds":1800`, `"seconds":1700`) },
		"RecordDropped":     func(s map[string]string) { delete(s, usage[1]) },
		"RecordsSwapped":    func(s map[string]string) { s[usage[0]], s[usage[1]] = s[usage[1]], s[usage[0]] },
		"OpenRecordGone":    func(s map[string]string) { delete(s, usage[2]) },
		"OpenRecordChanged": func(s map[string]string) { s[usage[2]] = cutIn(s[usage[2]], `"seconds":61`, `"seconds":60`) },
		"KeyGone":           func(s map[string]string) { delete(s, idemKey(tenant, "topup:o1")) },
		"KeyOfAnother":      func(s map[string]string) { s[idemKey(tenant, "topup:o1")] = s[idemKey(tenant, "topup:o2")] },
		"KeyOfNothing":      func(s map[string]string) { s[idemKey(tenant, "topup:o9")] = s[idemKey(tenant, "topup:o2")] },
		"OrderChanged": func(s map[string]string) {
			s[orderKey(tenant, "o1")] = cutIn(s[orderKey(tenant, "o1")], `"returned":"10.`, `"returned":"0.`)
		},
		"OrderGone":      func(s map[string]string) { delete(s, orderKey(tenant, "o1")) },
		"OrderOfNothing": func(s map[string]string) { s[orderKey(tenant, "o9")] = s[orderKey(tenant, "o1")] },
	} {
		t.Run(name, func(t *testing.T) {
			damaged := maps.Clone(sound)
			damage(damaged)
			if maps.Equal(sound, damaged) {
				t.Fatal("the test has damaged nothing")
			}
			restore(t, client, sound, damaged)
			defer restore(t, client, damaged, sound)
			if _, err := New(client, fixedClock).Verify(t.Context(), tenant); !errors.Is(err, book.ErrBroken) {
				t.Errorf("verified: %v", err)
			}
		})
	}
	if _, err := l.Verify(t.Context(), tenant); err != nil {
		t.Errorf("after all was put back: %v", err)
	}
}

// restore makes what is stored what it shall be.
func restore(t testing.TB, client *clientv3.Client, have, want map[string]string) {
	t.Helper()
	var ops []clientv3.Op
	for key := range have {
		if _, ok := want[key]; !ok {
			ops = append(ops, clientv3.OpDelete(key))
		}
	}
	for key, value := range want {
		if have[key] != value {
			ops = append(ops, clientv3.OpPut(key, value))
		}
	}
	if _, err := client.Txn(t.Context()).Then(ops...).Commit(); err != nil {
		t.Fatal(err)
	}
}
