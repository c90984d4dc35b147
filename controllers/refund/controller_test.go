package refund

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/payment"
)

// reasonOf is what a pass says in one word; that of Ready when it ended without an error.
func reasonOf(r *billingv1.Refund, err error) string {
	var (
		wait  *outcome.Wait
		stall *outcome.Stall
	)

	switch {
	case errors.As(err, &wait):
		return wait.Reason
	case errors.As(err, &stall):
		return stall.Reason
	case err != nil:
		return err.Error()
	default:
		return conditions.Get(r, conditions.Ready).Reason
	}
}

func ago(d time.Duration) *metav1.Time { return stamp(now.Add(-d)) }

// listed is the payment after the gateway has given 40000 of it back.
func listed(s *shop) {
	s.status.Transaction = payment.StatusPartialRefund
	s.status.Refunds = []payment.RefundEntry{{Key: "refund-1", Amount: "40000.00"}}
}

// TestResume: what a pass makes of what earlier ones have left, whether or not they could say so.
func TestResume(t *testing.T) {
	cases := map[string]struct {
		reason string
		given  func(*shop)
		phase  billingv1.RefundPhase
		word   string
		sent   int
		held   bool
	}{
		"FirstRefusalIsCertain": {
			reason: "Nobody has asked before, so nothing is on its way.",
			given:  func(s *shop) { s.answer = payment.ErrRefused },
			phase:  billingv1.RefundVoided, word: "Voided", sent: 1,
		},
		"CutOffAndRefused": {
			reason: "The process died between the hold and its status: it may have asked, so a refusal is not certain yet.",
			given:  func(s *shop) { s.hold(40_000); s.answer = payment.ErrRefused },
			phase:  billingv1.RefundSent, word: payment.ReasonGatewayUnavailable, sent: 1, held: true,
		},
		"CutOffAndNoWay": {
			reason: "It may have gone back while nobody looked: that is for a person.",
			given:  func(s *shop) { s.hold(40_000); s.status.Type = "bank_transfer" },
			phase:  billingv1.RefundSent, word: billingv1.ReasonUnexpectedStatus, held: true,
		},
		"CutOffAndListed": {
			reason: "What the gateway lists is done, whoever has asked for it.",
			given:  func(s *shop) { s.hold(40_000); listed(s) },
			phase:  billingv1.RefundPosted, word: "Posted",
		},
		"HeldAndNoWay": {
			reason: "The pass before has said that it held, and not that it asked.",
			given: func(s *shop) {
				s.hold(40_000)
				s.refund.Status.Phase, s.status.Type = billingv1.RefundHeld, "bank_transfer"
			},
			phase: billingv1.RefundVoided, word: "Voided",
		},
		"BusyBetweenDoubtAndRefusal": {
			reason: "A call without an answer is not forgotten because the gateway was busy after it.",
			given: func(s *shop) {
				s.hold(40_000)
				s.refund.Status.Phase, s.refund.Status.SentAt = billingv1.RefundSent, ago(time.Minute)
				conditions.MarkWaiting(s.refund, metav1.ConditionUnknown, payment.ReasonGatewayBusy, "busy")
				s.answer = payment.ErrRefused
			},
			phase: billingv1.RefundSent, word: payment.ReasonGatewayUnavailable, sent: 1, held: true,
		},
		"RefusedLater": {
			reason: "Ten minutes after the first call nothing of it is on its way any more.",
			given: func(s *shop) {
				s.hold(40_000)
				s.refund.Status.Phase, s.refund.Status.SentAt = billingv1.RefundSent, ago(11*time.Minute)
				s.answer = payment.ErrRefused
			},
			phase: billingv1.RefundVoided, word: "Voided", sent: 1,
		},
		"AcceptedIsNotSentAgain": {
			reason: "What was accepted could only be refused, and then be taken for refused.",
			given: func(s *shop) {
				s.hold(40_000)
				s.refund.Status.Phase, s.refund.Status.SentAt, s.refund.Status.AcceptedAt = billingv1.RefundSent, ago(time.Hour), ago(time.Hour)
				s.answer = payment.ErrRefused
			},
			phase: billingv1.RefundSent, word: "Sent", held: true,
		},
		"AcceptedForDays": {
			reason: "What is accepted and never listed is for a person.",
			given: func(s *shop) {
				s.hold(40_000)
				s.refund.Status.Phase, s.refund.Status.SentAt, s.refund.Status.AcceptedAt = billingv1.RefundSent, ago(73*time.Hour), ago(73*time.Hour)
			},
			phase: billingv1.RefundSent, word: billingv1.ReasonUnexpectedStatus, held: true,
		},
		"HoldOfAnotherLeader": {
			reason: "A former leader has set another amount aside while this one looked: that one counts.",
			given: func(s *shop) {
				s.refund.Spec.Amount = ""
				s.books.before = func() { s.hold(30_000) }
				s.answer = payment.ErrUnknownOutcome
			},
			phase: billingv1.RefundSent, word: payment.ReasonGatewayUnavailable, sent: 1, held: true,
		},
		"PostedByAnotherLeader": {
			reason: "And if that is done already, so is this.",
			given: func(s *shop) {
				s.refund.Spec.Amount = ""
				s.books.before = func() { s.hold(30_000); s.must(book.RefundPost{Refund: "refund-1"}) }
			},
			phase: billingv1.RefundPosted, word: "Posted",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, tc.given)
			_, err := s.pass()

			_, held := s.books.state.Head.Hold("refund-1")
			if got := reasonOf(s.refund, err); got != tc.word || s.refund.Status.Phase != tc.phase || s.sent != tc.sent || held != tc.held {
				t.Errorf("%s\ngot %s, phase %s, sent %d, held %t", tc.reason, got, s.refund.Status.Phase, s.sent, held)
			}
		})
	}
}

// TestOverIsOver: a TopUp can be deleted, and another one can be made by its name; what became of a refund of it stays.
func TestOverIsOver(t *testing.T) {
	endings := map[billingv1.RefundPhase]func(*shop){
		billingv1.RefundPosted: listed,
		billingv1.RefundVoided: func(s *shop) { s.answer = payment.ErrRefused },
	}
	afterwards := map[string]func(*shop) error{
		"Gone": func(s *shop) error { return s.api.Delete(s.Context(), topUp("uid-1")) },
		"Other": func(s *shop) error {
			return errors.Join(s.api.Delete(s.Context(), topUp("uid-1")), s.api.Create(s.Context(), topUp("uid-2")))
		},
		"OtherPaid": func(s *shop) error {
			order, err := payment.OrderIDOf("abcdef", "uid-2", now)
			s.must(book.TopUp{Order: order, Transaction: "tx-2", Amount: 100_000 * money.Rupiah})

			return errors.Join(err, s.api.Delete(s.Context(), topUp("uid-1")), s.api.Create(s.Context(), topUp("uid-2")))
		},
	}
	for phase, ending := range endings {
		for name, happens := range afterwards {
			t.Run(string(phase)+"/"+name, func(t *testing.T) {
				s := newShop(t, ending)
				if _, err := s.pass(); s.refund.Status.Phase != phase {
					t.Fatalf("phase %s: %v", s.refund.Status.Phase, err)
				}
				if err := happens(s); err != nil {
					t.Fatal(err)
				}

				before := s.refund.Status.DeepCopy()
				_, err := s.pass()

				if got := reasonOf(s.refund, err); got != string(phase) || s.refund.Status.Amount != before.Amount || s.refund.Status.Phase != phase {
					t.Errorf("got %s: %+v", got, s.refund.Status)
				}
			})
		}
	}
}

// TestInsufficientSaysTheSame: use goes on, and a Refund that has to wait tells nobody of every minute of it.
func TestInsufficientSaysTheSame(t *testing.T) {
	for name, tc := range map[string]struct {
		amount billingv1.WholeAmount
		used   int64
	}{"Asked": {"100000", 50_000}, "All": {"", 100_000}} {
		s := newShop(t, func(s *shop) { s.refund.Spec.Amount = tc.amount })

		var said []string
		for minute, used := range []int64{tc.used, 1, 1} {
			s.must(book.Adjust{ID: fmt.Sprint("use-", minute), Amount: -money.Micro(used) * money.Rupiah, Actor: "test", Reason: "use"})

			_, err := s.pass()
			said = append(said, reasonOf(s.refund, err)+": "+err.Error())
		}

		if len(slices.Compact(said)) != 1 || !strings.HasPrefix(said[0], billingv1.ReasonInsufficient) {
			t.Errorf("%s: it says %q", name, said)
		}
	}
}

// TestReviewIsOver: what a person was asked to look at is not shown any longer than it is so.
func TestReviewIsOver(t *testing.T) {
	s := newShop(t)
	s.hold(40_000)
	s.refund.Status.Phase, s.refund.Status.SentAt, s.refund.Status.AcceptedAt = billingv1.RefundSent, ago(time.Minute), ago(time.Minute)
	conditions.Set(s.refund, billingv1.ConditionNeedsReview, metav1.ConditionTrue, billingv1.ReasonUnexpectedStatus, "look")

	if _, err := s.pass(); conditions.IsTrue(s.refund, billingv1.ConditionNeedsReview) {
		t.Errorf("it is shown: %v", err)
	}
}

// TestListingIsAskedForLessOften: a refund that a bank takes a day for is not asked for every minute of it.
func TestListingIsAskedForLessOften(t *testing.T) {
	for age, want := range map[time.Duration]time.Duration{
		-time.Hour: time.Minute, 0: time.Minute, 10 * time.Minute: 10 * time.Minute, 5 * time.Hour: time.Hour,
	} {
		_, err := (&pass{}).unlisted(age)

		var wait *outcome.Wait
		if !errors.As(err, &wait) || wait.After != want {
			t.Errorf("after %v: %v, want %v", age, err, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	cases := map[string]struct {
		reason, text, want string
		most               int
	}{
		"Plain":     {"What can be read is left alone.", "asked for", "asked for", 64},
		"Lines":     {"It is one line, whatever breaks it.", "a\r\nb\tc\x00d", "a  b c d", 64},
		"Broken":    {"What is no text is none.", "a\xffb", "a b", 64},
		"Long":      {"It ends in time.", "abcdef", "abc", 3},
		"Character": {"And never within a character.", "aé", "a", 2},
	}
	for name, tc := range cases {
		if got := printable(tc.text, tc.most); got != tc.want {
			t.Errorf("%s: %s\ngot %q, want %q", name, tc.reason, got, tc.want)
		}
	}
}
