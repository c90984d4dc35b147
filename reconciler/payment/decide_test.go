package payment

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

type specifiedRow struct {
	status        TransactionStatus
	fraud         FraudStatus
	before, after Decision
}

// specified is the table of statuses as it was designed, written out row by row: every status with every fraud status that
// is documented, with none, and with one that is not. It shares nothing with the code.
var specified = []specifiedRow{
	{"pending", "", Await, Ignore},
	{"pending", "accept", Await, Ignore},
	{"pending", "challenge", Await, Ignore},
	{"pending", "deny", Await, Ignore},
	{"pending", "new", Await, Ignore},
	{"authorize", "", PreAuthorized, Quarantine},
	{"authorize", "accept", PreAuthorized, Quarantine},
	{"authorize", "challenge", PreAuthorized, Quarantine},
	{"authorize", "deny", PreAuthorized, Quarantine},
	{"authorize", "new", PreAuthorized, Quarantine},
	{"capture", "", Quarantine, Ignore},
	{"capture", "accept", Credit, Ignore},
	{"capture", "challenge", Challenged, Quarantine},
	{"capture", "deny", AttemptFailed, Quarantine},
	{"capture", "new", Quarantine, Ignore},
	{"settlement", "", Credit, Ignore},
	{"settlement", "accept", Credit, Ignore},
	{"settlement", "challenge", Quarantine, Quarantine},
	{"settlement", "deny", Quarantine, Quarantine},
	{"settlement", "new", Quarantine, Quarantine},
	{"deny", "", AttemptFailed, Reverse},
	{"deny", "accept", AttemptFailed, Reverse},
	{"deny", "challenge", AttemptFailed, Reverse},
	{"deny", "deny", AttemptFailed, Reverse},
	{"deny", "new", AttemptFailed, Reverse},
	{"cancel", "", Failed, Reverse},
	{"cancel", "accept", Failed, Reverse},
	{"cancel", "challenge", Failed, Reverse},
	{"cancel", "deny", Failed, Reverse},
	{"cancel", "new", Failed, Reverse},
	{"expire", "", Expired, Quarantine},
	{"expire", "accept", Expired, Quarantine},
	{"expire", "challenge", Expired, Quarantine},
	{"expire", "deny", Expired, Quarantine},
	{"expire", "new", Expired, Quarantine},
	{"failure", "", AttemptFailed, Quarantine},
	{"failure", "accept", AttemptFailed, Quarantine},
	{"failure", "challenge", AttemptFailed, Quarantine},
	{"failure", "deny", AttemptFailed, Quarantine},
	{"failure", "new", AttemptFailed, Quarantine},
	{"refund", "", Quarantine, RefundDebit},
	{"refund", "accept", Quarantine, RefundDebit},
	{"refund", "new", Quarantine, RefundDebit},
	{"partial_refund", "", Quarantine, RefundDebit},
	{"partial_refund", "accept", Quarantine, RefundDebit},
	{"partial_refund", "new", Quarantine, RefundDebit},
	{"chargeback", "", Quarantine, ChargebackDebit},
	{"chargeback", "accept", Quarantine, ChargebackDebit},
	{"chargeback", "new", Quarantine, ChargebackDebit},
	{"partial_chargeback", "", Quarantine, ChargebackDebit},
	{"partial_chargeback", "accept", Quarantine, ChargebackDebit},
	{"partial_chargeback", "new", Quarantine, ChargebackDebit},
	{"", "", Quarantine, Quarantine},
	{"new", "accept", Quarantine, Quarantine},
	{"SETTLEMENT", "accept", Quarantine, Quarantine},
	{"settlement ", "accept", Quarantine, Quarantine},
	{"settlement", "ACCEPT", Quarantine, Quarantine},
	{"settlement", "*", Quarantine, Quarantine},
	{"capture", "*", Quarantine, Ignore},
}

func TestTableOfStatuses(t *testing.T) {
	for _, row := range specified {
		if got := Decide(row.status, row.fraud, false); got != row.before {
			t.Errorf("%q with %q, not credited: %s, want %s", row.status, row.fraud, got, row.before)
		}

		if got := Decide(row.status, row.fraud, true); got != row.after {
			t.Errorf("%q with %q, credited: %s, want %s", row.status, row.fraud, got, row.after)
		}
	}

	for status := range table {
		if !slices.ContainsFunc(specified, func(r specifiedRow) bool { return r.status == status }) {
			t.Errorf("the table has %q, which the test does not know", status)
		}
	}
}

// TestEveryInputHasOneDecision: whatever a gateway says, known words or noise.
func TestEveryInputHasOneDecision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		status := TransactionStatus(rapid.OneOf(rapid.SampledFrom(words(specifiedStatuses())), rapid.String()).Draw(t, "status"))
		fraud := FraudStatus(rapid.OneOf(rapid.SampledFrom([]string{"", "accept", "challenge", "deny", "*"}), rapid.String()).Draw(t, "fraud"))
		credited := rapid.Bool().Draw(t, "credited")

		got := Decide(status, fraud, credited)
		if !slices.Contains(Decisions, got) {
			t.Fatalf("%q is no decision", got)
		}

		if again := Decide(status, fraud, credited); again != got {
			t.Fatalf("decided %s, and then %s", got, again)
		}

		if _, known := table[status]; !known && got != Quarantine {
			t.Fatalf("unknown status %q: %s, want %s", status, got, Quarantine)
		}

		switch got {
		case Credit, Await, Challenged, PreAuthorized, AttemptFailed, Failed, Expired:
			if credited {
				t.Fatalf("%s of what was credited", got)
			}
		case Reverse, RefundDebit, ChargebackDebit, Ignore:
			if !credited {
				t.Fatalf("%s of what was not credited", got)
			}
		case Suspense:
			t.Fatal("a status alone cannot tell that it is the second payment")
		}
	})
}

func specifiedStatuses() []TransactionStatus {
	var all []TransactionStatus
	for _, row := range specified {
		all = append(all, row.status)
	}

	return all
}

func words[T ~string](of []T) []string {
	texts := make([]string, len(of))
	for i, w := range of {
		texts[i] = string(w)
	}

	return texts
}
