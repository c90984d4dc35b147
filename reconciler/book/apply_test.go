package book

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/money"
)

func TestApply(t *testing.T) {
	tomorrow := start.Add(24 * time.Hour).Unix()
	cases := map[string]struct {
		reason string
		before []Op
		op     Op
		want   balances
		err    error
	}{
		"TopUpIsPaidMoney": {
			reason: "What was paid can be used.",
			op:     paid("o1", 100), want: balances{Paid: rupiah(100), Available: rupiah(100)},
		},
		"GrantIsPromotional": {
			reason: "What was given can be used, and is no paid money.",
			op:     gift("w", 50, 0, ""), want: balances{Promo: rupiah(50), Available: rupiah(50)},
		},
		"UseIsNotAvailableBeforeItIsSettled": {
			reason: "What was used must not be used again in the same hour.",
			before: []Op{paid("o1", 100)}, op: charge(0, 1, hours("web", money.CPU, 1, 30)),
			want: balances{Paid: rupiah(100), Accrued: rupiah(30), Available: rupiah(70)},
		},
		"SettlingDrawsGiftsFirst": {
			reason: "A tenant's own money lasts longest.",
			before: []Op{paid("o1", 100), gift("w", 20, 0, "")}, op: settled(charge(0, 1, hours("web", money.CPU, 1, 30)), 0),
			want: balances{Paid: rupiah(90), Available: rupiah(90)},
		},
		"GiftForOneMeterPaysForNoOther": {
			reason: "A gift of storage does not run containers.",
			before: []Op{paid("o1", 100), gift("disk", 20, 0, money.Storage)}, op: settled(charge(0, 1, hours("web", money.CPU, 1, 30)), 0),
			want: balances{Paid: rupiah(70), Promo: rupiah(20), Available: rupiah(90)},
		},
		"GiftThatExpiredPaysForNothing": {
			reason: "It ended with the hour before.",
			before: []Op{paid("o1", 100), gift("w", 20, start.Add(time.Hour).Unix(), ""), charge(0, 60)},
			op:     settled(charge(60, 1, hours("web", money.CPU, 1, 30)), 0),
			want:   balances{Paid: rupiah(70), Promo: rupiah(20), Available: rupiah(90)},
		},
		"GiftPaysForItsLastHour": {
			reason: "Use of the hour that it ends with is settled by itself at the end of that hour.",
			before: []Op{paid("o1", 100), gift("w", 20, start.Add(time.Hour).Unix(), "")}, op: charge(0, 60, hours("web", money.CPU, 1, 30)),
			want: balances{Paid: rupiah(90), Available: rupiah(90)},
		},
		"DrawEndsAtTheFloor": {
			reason: "That nobody stopped the containers in time was not the tenant's doing.",
			before: []Op{paid("o1", 10)}, op: settled(charge(0, 1, hours("web", money.CPU, 1, 30)), -rupiah(5)),
			want: balances{Paid: -rupiah(5), Available: -rupiah(5)},
		},
		"BelowTheFloorNothingIsDrawn": {
			reason: "A reversal took it there; use does not make it worse.",
			before: []Op{paid("o1", 10), settled(charge(0, 1, hours("web", money.CPU, 1, 10)), 0), Reversal{Order: "o1", Transaction: "tx-o1", Amount: rupiah(10)}},
			op:     settled(charge(1, 1, hours("web", money.CPU, 1, 30)), -rupiah(5)),
			want:   balances{Paid: -rupiah(10), Available: -rupiah(10)},
		},
		"FloorWithoutAnEnd": {
			reason: "The lowest floor there is lets everything be drawn, and nothing wraps around.",
			before: []Op{paid("o1", 10)}, op: settled(charge(0, 1, hours("web", money.CPU, 1, 30)), -(1<<63 - 1)),
			want: balances{Paid: -rupiah(20), Available: -rupiah(20)},
		},
		"HeldMoneyIsNotAvailable": {
			reason: "It is on its way back.",
			before: []Op{paid("o1", 100)}, op: RefundHold{Refund: "r1", Order: "o1", Amount: rupiah(60)},
			want: balances{Paid: rupiah(40), Held: rupiah(60), Available: rupiah(40)},
		},
		"PostedHoldIsGone": {
			reason: "It went back.",
			before: []Op{paid("o1", 100), RefundHold{Refund: "r1", Order: "o1", Amount: rupiah(60)}}, op: RefundPost{Refund: "r1"},
			want: balances{Paid: rupiah(40), Available: rupiah(40)},
		},
		"VoidedHoldComesBack": {
			reason: "It did not go.",
			before: []Op{paid("o1", 100), RefundHold{Refund: "r1", Order: "o1", Amount: rupiah(60)}}, op: RefundVoid{Refund: "r1"},
			want: balances{Paid: rupiah(100), Available: rupiah(100)},
		},
		"HoldResolvesOnce": {
			reason: "What was posted cannot be voided.",
			before: []Op{paid("o1", 100), RefundHold{Refund: "r1", Order: "o1", Amount: rupiah(60)}, RefundPost{Refund: "r1"}}, op: RefundVoid{Refund: "r1"},
			err: ErrNotFound,
		},
		"GiftsAreNotRefunded": {
			reason: "Nobody has paid them.",
			before: []Op{paid("o1", 100), gift("w", 50, 0, ""), settled(charge(0, 1, hours("web", money.CPU, 1, 120)), 0)},
			op:     RefundHold{Refund: "r1", Order: "o1", Amount: rupiah(31)}, err: ErrInsufficient,
		},
		"UsedMoneyIsNotRefunded": {
			reason: "What accrued will be drawn.",
			before: []Op{paid("o1", 100), charge(0, 1, hours("web", money.CPU, 1, 30))},
			op:     RefundHold{Refund: "r1", Order: "o1", Amount: rupiah(71)}, err: ErrInsufficient,
		},
		"GiftCoversWhatAccrued": {
			reason: "All that was paid can go back when a gift pays for the use.",
			before: []Op{paid("o1", 100), gift("w", 50, 0, ""), charge(0, 1, hours("web", money.CPU, 1, 30))},
			op:     RefundHold{Refund: "r1", Order: "o1", Amount: rupiah(100)},
			want:   balances{Promo: rupiah(50), Held: rupiah(100), Accrued: rupiah(30), Available: rupiah(20)},
		},
		"NoMoreThanWasPaidGoesBack": {
			reason: "The balance may be of other payments.",
			before: []Op{paid("o1", 100), paid("o2", 100), RefundHold{Refund: "r1", Order: "o1", Amount: rupiah(60)}, RefundPost{Refund: "r1"}},
			op:     RefundHold{Refund: "r2", Order: "o1", Amount: rupiah(41)}, err: ErrInsufficient,
		},
		"ReversalAfterRefund": {
			reason: "A payment cannot go back twice, whichever way.",
			before: []Op{paid("o1", 100), paid("o2", 100), RefundHold{Refund: "r1", Order: "o1", Amount: rupiah(60)}, RefundPost{Refund: "r1"}},
			op:     Reversal{Order: "o1", Transaction: "tx-o1", Amount: rupiah(100)}, err: ErrInsufficient,
		},
		"ReversalOfNoPayment": {
			reason: "Only what was credited can be taken back.",
			op:     Reversal{Order: "o9", Transaction: "tx", Amount: rupiah(1)}, err: ErrInsufficient,
		},
		"ReversalMakesADebt": {
			reason: "The money never came.",
			before: []Op{paid("o1", 100), settled(charge(0, 1, hours("web", money.CPU, 1, 30)), 0)}, op: Reversal{Order: "o1", Transaction: "tx-o1", Amount: rupiah(100)},
			want: balances{Paid: -rupiah(30), Available: -rupiah(30)},
		},
		"ReversalTakesTheGiftAlong": {
			reason: "A bonus on a payment that never came is no gift.",
			before: []Op{paid("o1", 100), Grant{ID: "grant:b", Lot: Lot{ID: "b", Left: rupiah(10), Order: "o1"}}},
			op:     Reversal{Order: "o1", Transaction: "tx-o1", Amount: rupiah(100), TakeBack: "b"}, want: balances{},
		},
		"ReversalTakesNoOtherGift": {
			reason: "It came with another payment.",
			before: []Op{paid("o1", 100), gift("w", 10, 0, "")},
			op:     Reversal{Order: "o1", Transaction: "tx-o1", Amount: rupiah(100), TakeBack: "w"}, err: ErrInvalid,
		},
		"ChargebackInParts": {
			reason: "Each part is debited once.",
			before: []Op{paid("o1", 100), Chargeback{Order: "o1", Cumulative: rupiah(30), Amount: rupiah(30)}}, op: Chargeback{Order: "o1", Cumulative: rupiah(50), Amount: rupiah(20)},
			want: balances{Paid: rupiah(50), Available: rupiah(50)},
		},
		"WriteOffEndsADebt": {
			reason: "All of it.",
			before: []Op{paid("o1", 10), settled(charge(0, 1, hours("web", money.CPU, 1, 30)), -rupiah(5))}, op: WriteOff{ID: "w1", Actor: "ada", Reason: "closed"},
			want: balances{},
		},
		"WriteOffOfNoDebt": {reason: "There is nothing to give up.", op: WriteOff{ID: "w1", Actor: "ada", Reason: "closed"}, err: ErrNotFound},
		"SecondPaymentOfAnOrder": {
			reason: "It is kept for a person to look at.", op: Suspense{Order: "o1", Transaction: "tx2", Amount: rupiah(5), Reason: "second"}, want: balances{},
		},
		"WindowTwice": {
			reason: "A window is charged once.",
			before: []Op{charge(0, 5)}, op: charge(4, 1, hours("web", money.CPU, 1, 30)), err: ErrCharged,
		},
		"WindowLeftOut": {
			reason: "What lies between must be charged or waived.",
			before: []Op{charge(0, 5)}, op: charge(6, 1, hours("web", money.CPU, 1, 30)), err: ErrGap,
		},
		"IdleHoursAreClosedAtOnce": {
			reason: "Nothing was used in them.",
			before: []Op{charge(0, 60)}, op: Charge{From: firstWindow + 60, Since: firstWindow + 500, Through: firstWindow + 510, Lines: []Line{hours("web", money.CPU, 1, 30)}},
			want: balances{Accrued: rupiah(30), Available: -rupiah(30)},
		},
		"GiftPaysForUseBeforeAnIdleTime": {
			reason: "It expired in between, so what it can pay for is settled before.",
			before: []Op{paid("o1", 100), gift("w", 20, start.Add(time.Hour).Unix(), ""), charge(0, 30, hours("web", money.CPU, 1, 30))},
			op:     Charge{From: firstWindow + 30, Since: firstWindow + 120, Through: firstWindow + 120, PriceList: "p1", Lines: []Line{hours("web", money.CPU, 1, 30)}},
			want:   balances{Paid: rupiah(90), Accrued: rupiah(30), Available: rupiah(60)},
		},
		"SettledInTheMiddleOfAnHour": {
			reason: "An account that is suspended pays for what it used until then.",
			before: []Op{paid("o1", 100), charge(0, 30, hours("web", money.CPU, 1, 30))}, op: Settle{},
			want: balances{Paid: rupiah(70), Available: rupiah(70)},
		},
		"NothingToSettle": {reason: "It comes to nothing.", before: []Op{paid("o1", 100)}, op: Settle{}, want: balances{Paid: rupiah(100), Available: rupiah(100)}},
		"GapsAreRecorded": {
			reason: "A tenant can see what was not charged, and why.",
			op:     Charge{From: firstWindow, Through: firstWindow, Gaps: []Gap{{"CatchUpLimit", 1, 2, 3}, {"ClockForward", 4, 5, 6}}},
			want:   balances{},
		},
		"GapIsWaived": {
			reason: "Then charging goes on behind it.",
			before: []Op{charge(0, 5), Skip{From: firstWindow + 5, Through: firstWindow + 99, Reason: "outage"}},
			op:     charge(100, 1, hours("web", money.CPU, 1, 30)), want: balances{Accrued: rupiah(30), Available: -rupiah(30)},
		},
		"UseOfTwoHours":   {reason: "A record is of one hour.", op: charge(59, 2, hours("web", money.CPU, 1, 30)), err: ErrInvalid},
		"FloorAboveZero":  {reason: "A floor is a debt.", op: settled(charge(0, 1), 1), err: ErrInvalid},
		"LineWithACharge": {reason: "Prices are worked out here alone.", op: charge(0, 1, Line{Workload: "web", Meter: money.CPU, Charge: 1}), err: ErrInvalid},
		"UnknownMeter":    {reason: "It has no unit.", op: charge(0, 1, Line{Workload: "web", Meter: "gpu", Quantity: 1, Seconds: 1}), err: ErrInvalid},
		"NoAmount":        {reason: "A payment is of something.", op: paid("o1", 0), err: ErrInvalid},
		"SlashInAKey":     {reason: "It would end in another tenant's keys.", op: paid("../o1", 1), err: ErrInvalid},
		"ExpiryInAnHour":  {reason: "Use is settled on whole hours.", op: gift("w", 1, tomorrow+1, ""), err: ErrInvalid},
		"ExpiryInThePast": {reason: "It would never pay for anything.", op: gift("w", 1, start.Unix(), ""), err: ErrInvalid},
		"SameLotTwice":    {reason: "Lots are told apart by their ID.", before: []Op{gift("w", 1, 0, "")}, op: Grant{ID: "other", Lot: Lot{ID: "w", Left: 1}}, err: ErrExists},
		"AnonymousAdjust": {reason: "Somebody must have wanted it.", op: Adjust{ID: "a", Amount: 1, Reason: "because"}, err: ErrInvalid},
		"Overflow":        {reason: "A balance never wraps around.", before: []Op{Adjust{ID: "a", Amount: 1<<63 - 1, Actor: "ada", Reason: "x"}}, op: paid("o1", 1), err: money.ErrOverflow},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShelf().must(t, c.before...)
			before := s.state.Head.Encode()
			_, err := s.do(c.op)
			if !errors.Is(err, c.err) {
				t.Fatalf("%s\ngot %v, want %v", c.reason, err, c.err)
			}
			if c.err != nil {
				if diff := cmp.Diff(string(before), string(s.state.Head.Encode())); diff != "" {
					t.Errorf("%s\na refused operation has changed the head:\n%s", c.reason, diff)
				}
				return
			}
			if diff := cmp.Diff(c.want, balancesOf(s.state.Head)); diff != "" {
				t.Errorf("%s\n-want +got\n%s", c.reason, diff)
			}
			checkShelf(t, s)
		})
	}
}

func TestExpire(t *testing.T) {
	end := start.Add(time.Hour)
	cases := map[string]struct {
		reason string
		before []Op
		now    time.Time
		err    error
	}{
		"InTime":         {"All use of its time is charged.", []Op{charge(0, 60)}, end, nil},
		"BeforeTheTime":  {"It still pays.", []Op{charge(0, 59)}, end.Add(-time.Minute), ErrTooEarly},
		"BeforeCharging": {"Use of its last minute is not charged yet, and it must pay for it.", []Op{charge(0, 59)}, end.Add(time.Minute), ErrTooEarly},
		"NeverCharged":   {"Who is not metered uses nothing.", nil, end, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShelf().must(t, gift("w", 20, end.Unix(), "")).must(t, c.before...)
			s.now = c.now
			_, err := s.do(Expire{Lot: "w"})
			if !errors.Is(err, c.err) {
				t.Fatalf("%s\ngot %v, want %v", c.reason, err, c.err)
			}
			if left := s.state.Head.Promo(); (left == 0) != (c.err == nil) {
				t.Errorf("%s\n%s is left", c.reason, left)
			}
			checkShelf(t, s)
		})
	}
}

// TestLimits: a head cannot grow beyond what a transaction takes.
func TestLimits(t *testing.T) {
	s := newShelf().must(t, paid("o1", 1000))
	for i := range maxLots {
		s.must(t, gift(string(rune('a'+i%26))+string(rune('a'+i/26)), 1, 0, ""))
		s.must(t, RefundHold{Refund: string(rune('a'+i%26)) + string(rune('a'+i/26)), Order: "o1", Amount: 1})
	}
	if _, err := s.do(gift("more", 1, 0, "")); !errors.Is(err, ErrTooMany) {
		t.Errorf("one lot more: %v", err)
	}
	if _, err := s.do(RefundHold{Refund: "more", Order: "o1", Amount: 1}); !errors.Is(err, ErrTooMany) {
		t.Errorf("one hold more: %v", err)
	}
	if size := len(s.state.Head.Encode()); size > 8<<10 {
		t.Errorf("the head has %d bytes", size)
	}
}

// TestManyLines: a record that has grown too long is settled before its hour is over, and nothing is lost.
func TestManyLines(t *testing.T) {
	s := newShelf().must(t, paid("o1", 1_000_000))
	var lines []Line
	for i := range maxLines + 1 {
		lines = append(lines, hours("w"+string(rune(0x4e00+i)), money.Replica, 1, 1))
	}
	s.must(t, charge(0, 1, lines...), charge(1, 1, lines[:3]...), settled(charge(2, 1), 0))
	if len(s.records) != 2 || s.state.Head.Paid != rupiah(1_000_000-maxLines-1-3) {
		t.Errorf("%d records, %s left", len(s.records), s.state.Head.Paid)
	}
	checkShelf(t, s)
}

// TestDecide: what is decided is part of the outcome, and limited.
func TestDecide(t *testing.T) {
	low := func(before Head, after Outcome) Decision {
		return Decision{
			Phase: "Low", State: json.RawMessage(`{ "low": 1 }`),
			Notices: []Notice{{ID: "low:1", Kind: "BalanceLow"}},
		}
	}
	out, err := Apply(State{Head: NewHead("acme")}, paid("o1", 5), low, start)
	if err != nil {
		t.Fatal(err)
	}
	want := []Notice{{Tenant: "acme", ID: "low:1", Kind: "BalanceLow", Seq: 1}}
	if diff := cmp.Diff(want, out.Notices); diff != "" || out.State.Head.Phase != "Low" || string(out.State.Head.State) != `{"low":1}` {
		t.Errorf("decided %+v\n%s", out.State.Head, diff)
	}
	for name, bad := range map[string]Decision{
		"NoticeGoesAnywhere": {Notices: []Notice{{ID: "a/b"}}},
		"NotJSON":            {State: json.RawMessage(`{`)},
		"TooLarge":           {State: json.RawMessage(`"` + strings.Repeat("x", maxStateBytes) + `"`)},
		"FloorAboveZero":     {Stopped: true, Floor: 1},
	} {
		if _, err := Apply(State{Head: NewHead("acme")}, paid("o1", 5), func(Head, Outcome) Decision { return bad }, start); err == nil {
			t.Errorf("%s: nobody objects", name)
		}
	}
}

// TestRequestHash: two operations that differ in anything have different hashes, and the same ones the same.
func TestRequestHash(t *testing.T) {
	line := Line{Workload: "web", Meter: money.CPU, Quantity: 1, Seconds: 2, Price: 3}
	base := Charge{From: 1, Through: 2, Lines: []Line{line, line}, PriceList: "p", Floor: -4}
	ops := []Op{base, paid("o1", 1), paid("o2", 1), paid("o1", 2), Adjust{ID: "o1", Amount: 1}, WriteOff{ID: "o1"}, Expire{Lot: "o1"}}
	for _, change := range []func(c *Charge){
		func(c *Charge) { c.From++ }, func(c *Charge) { c.Through++ }, func(c *Charge) { c.Settle = true }, func(c *Charge) { c.Floor++ },
		func(c *Charge) { c.PriceList = "pp" }, func(c *Charge) { c.Since = 2 }, func(c *Charge) { c.Gaps = []Gap{{Cause: "x"}} }, func(c *Charge) { c.Lines = c.Lines[:1] },
		func(c *Charge) { c.Lines[1].Workload = "we" }, func(c *Charge) { c.Lines[1].Meter = money.Memory }, func(c *Charge) { c.Lines[1].Quantity++ },
		func(c *Charge) { c.Lines[1].Seconds++ }, func(c *Charge) { c.Lines[1].Price++ }, func(c *Charge) { c.Free = 1 }, func(c *Charge) { c.Begin = 1 },
	} {
		c := base
		c.Lines = []Line{line, line}
		change(&c)
		ops = append(ops, c)
	}
	seen := map[string]Op{}
	for _, op := range ops {
		hash := RequestHash(op)
		if other, ok := seen[hash]; ok {
			t.Errorf("%+v and %+v have the same hash", op, other)
		}
		seen[hash] = op
		if RequestHash(op) != hash {
			t.Errorf("%+v has two hashes", op)
		}
	}
}
