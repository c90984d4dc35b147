package admission

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/warning"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/throttle"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/payment"
	"github.com/dogker/dogker/reconciler/solvency"
)

// moment is when everything here happens.
var moment = time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)

// market is a tenant "shop" whose vCPU costs 100 rupiah an hour, and who has one container of one vCPU.
type market struct {
	t       *testing.T
	plugin  *Billing
	balance money.Micro
	phase   solvency.Phase
	down    error
	paid    map[string]bool
	// warnings that the last request was told.
	warnings []string
}

// Head implements Ledger.
func (m *market) Head(context.Context, string) (book.Head, error) {
	h := book.NewHead("shop")
	h.Paid = m.balance
	if m.phase != "" {
		terms, err := m.plugin.desk.Terms(m.t.Context(), "shop")
		if err != nil {
			m.t.Fatal(err)
		}
		if m.phase == solvency.Held {
			terms.Rules.Hold = true
		}
		// Grace comes first, and is over an hour later.
		for _, at := range []time.Time{moment.Add(-2 * time.Hour), moment} {
			decided := terms.Decide(func() time.Time { return at })(h, book.Outcome{State: book.State{Head: h}})
			h.Phase, h.State = decided.Phase, decided.State
		}
		if h.Phase != string(m.phase) {
			m.t.Fatalf("the account is %s, want %s", h.Phase, m.phase)
		}
	}

	return h, m.down
}

// Order implements Ledger.
func (m *market) Order(_ context.Context, _, id string) (book.Order, error) {
	if m.down == nil && !m.paid[id] {
		return book.Order{}, book.ErrNotFound
	}

	return book.Order{ID: id}, m.down
}

// platformOnly lets "platform" do everything, and nobody else anything.
func platformOnly(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	if a.GetUser().GetName() == "platform" && a.GetNamespace() == "" {
		return authorizer.DecisionAllow, "", nil
	}

	return authorizer.DecisionNoOpinion, "", nil
}

func cpus(n string) *v1alpha1.Resources {
	q := resource.MustParse(n)

	return &v1alpha1.Resources{Requests: &v1alpha1.ResourceRequests{CPU: &q}}
}

func newMarket(t *testing.T, more ...runtime.Object) *market {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := billingv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	m := &market{t: t, paid: map[string]bool{}}
	reader := fake.NewClientBuilder().WithScheme(scheme).WithRuntimeObjects(append([]runtime.Object{
		&v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: v1alpha1.TenantSpec{PlanName: "small"}},
		&v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "free"}, Spec: v1alpha1.TenantSpec{PlanName: "free"}},
		&v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "free"}},
		&v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "small"}, Spec: v1alpha1.PlanSpec{
			PriceListName: "prices", Billing: &v1alpha1.BillingRules{TopUps: &v1alpha1.TopUpRules{MinAmount: "10000", MaxAmount: "1000000", MaxPending: 2}},
		}},
		&billingv1.PriceList{ObjectMeta: metav1.ObjectMeta{Name: "prices"}, Spec: billingv1.PriceListSpec{Prices: billingv1.Prices{CPU: "100"}}},
		&billingv1.Coupon{ObjectMeta: metav1.ObjectMeta{Name: "gift"}, Spec: billingv1.CouponSpec{
			CodeSHA256: billing.HashCode("GIFT-1"), Amount: "1000", MaxRedemptions: 2,
		}},
		&billingv1.Coupon{ObjectMeta: metav1.ObjectMeta{Name: "gone"}, Spec: billingv1.CouponSpec{
			CodeSHA256: billing.HashCode("GONE-1"), Amount: "1000", MaxRedemptions: 2,
		}, Status: billingv1.CouponStatus{Redeemed: 2}},
		&v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: v1alpha1.TenantContainerSpec{Replicas: new(int32(1)), Resources: cpus("1")}},
	}, more...)...).Build()

	m.plugin = &Billing{
		Handler: admission.NewHandler(admission.Create, admission.Update, admission.Delete), authorizer: authorizer.AuthorizerFunc(platformOnly),
		codes: throttle.New(codeBurst, codeInterval), topUps: throttle.New(topUpBurst, topUpInterval), now: func() time.Time { return moment },
	}
	m.plugin.SetDirectory(directory{reader: reader})
	m.plugin.SetLedger(m, "abcdef")
	m.plugin.SetDynamicClient(dynamicfake.NewSimpleDynamicClientWithCustomListKinds(scheme, map[schema.GroupVersionResource]string{
		topUpResource: "TopUpList", priceListResource: "PriceListList",
	}, more...))

	return m
}

// AddWarning implements warning.Recorder.
func (m *market) AddWarning(_, text string) { m.warnings = append(m.warnings, text) }

// ask makes a request about an object of the group billing.dogker.io or dogker.io; old and now may be nil.
func (m *market) ask(who, what, namespace, sub string, now, old runtime.Object) error {
	m.t.Helper()
	m.warnings = nil
	group := billingv1.GroupVersion
	if what == "tenantcontainers" || what == "plans" {
		group = v1alpha1.GroupVersion
	}
	op := admission.Update
	switch {
	case old == nil:
		op = admission.Create
	case now == nil:
		op = admission.Delete
	}
	var objects [2]runtime.Object
	for i, o := range []runtime.Object{now, old} {
		switch o := o.(type) {
		case nil:
		case *autoscalingv1.Scale, *unstructured.Unstructured:
			objects[i] = o
		default:
			content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
			if err != nil {
				m.t.Fatal(err)
			}
			objects[i] = &unstructured.Unstructured{Object: content}
		}
	}
	a := admission.NewAttributesRecord(objects[0], objects[1], group.WithKind("Any"), namespace, "web", group.WithResource(what), sub, op, nil, false, &user.DefaultInfo{Name: who})

	return m.plugin.Validate(warning.WithWarningRecorder(m.t.Context(), m), a, nil)
}

// tc is a container of so many tasks with so many vCPUs each.
func tc(replicas int32, cpu string) *v1alpha1.TenantContainer {
	return &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: v1alpha1.TenantContainerSpec{Replicas: &replicas, Resources: cpus(cpu)}}
}

func stopped(c *v1alpha1.TenantContainer) *v1alpha1.TenantContainer {
	c.Annotations = map[string]string{v1alpha1.AnnotationSuspend: "at night"}

	return c
}

func scale(replicas int32) *autoscalingv1.Scale {
	return &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: replicas}}
}

// TestCost: what makes the rate greater needs an hour of it on the balance; everything else passes whatever is there.
func TestCost(t *testing.T) {
	cases := map[string]struct {
		reason    string
		balance   int64
		phase     solvency.Phase
		down      error
		sub       string
		now, old  runtime.Object
		namespace string
		code      int32
		why       metav1.StatusReason
		says      []string
		warns     string
	}{
		"CreateWithMoney": {
			reason: "Two hundred an hour are there, for what there is and for what comes.", balance: 200,
			now: tc(1, "1"), warns: `web costs Rp 100 an hour, about Rp 73000 a month; everything of tenant "shop" costs Rp 200 an hour then`,
		},
		"CreateWithout": {
			reason: "A rupiah is missing.", balance: 199, now: tc(1, "1"), code: http.StatusForbidden, why: billingv1.ReasonInsufficientBalance,
			says: []string{"Rp 100 an hour more", "Rp 200 an hour then", "for 1h0m0s", "Rp 199 are there", "Rp 1 are missing", "TopUp"},
		},
		"CreateStopped":  {reason: "What has no tasks costs nothing.", now: stopped(tc(1, "1")), warns: "web costs Rp 0 an hour"},
		"Start":          {reason: "Whoever takes the annotation off starts it.", old: stopped(tc(1, "1")), now: tc(1, "1"), code: http.StatusForbidden, why: billingv1.ReasonInsufficientBalance},
		"Stop":           {reason: "Stopping is free.", old: tc(1, "1"), now: stopped(tc(1, "1")), warns: "web costs Rp 0 an hour"},
		"MoreCPU":        {reason: "A larger task costs more.", balance: 149, old: tc(1, "1"), now: tc(1, "1500m"), code: http.StatusForbidden, why: billingv1.ReasonInsufficientBalance},
		"MoreCPUAndPaid": {reason: "It is there.", balance: 150, old: tc(1, "1"), now: tc(1, "1500m"), warns: "costs Rp 150 an hour then"},
		"LessCPU":        {reason: "Less always passes, in debt and without a ledger.", balance: -1000, down: errBoom, old: tc(1, "1"), now: tc(1, "500m"), warns: "web costs Rp 50 an hour"},
		"SamePrice":      {reason: "What costs the same says nothing.", balance: -1000, old: tc(2, "500m"), now: tc(1, "1")},
		"OtherEdit":      {reason: "An edit of something else passes.", balance: -1000, phase: solvency.Suspended, old: tc(1, "1"), now: edited(tc(1, "1"))},
		"ScaleUp":        {reason: "So does a scale.", balance: 100, sub: "scale", old: scale(1), now: scale(2), code: http.StatusForbidden, why: billingv1.ReasonInsufficientBalance},
		"ScaleUpAndPaid": {reason: "It is there.", balance: 200, sub: "scale", old: scale(1), now: scale(2), warns: "web costs Rp 200 an hour"},
		"ScaleDown":      {reason: "Fewer always pass.", balance: -1000, down: errBoom, sub: "scale", old: scale(3), now: scale(0), warns: "web costs Rp 0 an hour"},
		"Status":         {reason: "What is reported costs nothing.", balance: -1000, down: errBoom, sub: "status", old: tc(1, "1"), now: tc(9, "9")},
		"Suspended": {
			reason: "Whose containers do not run learns why, and what it takes.", balance: -100, phase: solvency.Suspended, now: tc(1, "1"),
			code: http.StatusForbidden, why: billingv1.ReasonInsufficientBalance, says: []string{"is Suspended", "Rp 300 are missing"},
		},
		"OnHold": {
			reason: "Money does not lift a hold.", balance: 1_000_000, phase: solvency.Held, now: tc(1, "1"),
			code: http.StatusForbidden, why: "AccountOnHold", says: []string{"spec.hold"},
		},
		"NoLedger": {reason: "Nothing is let in on credit.", balance: 1_000_000, down: errBoom, now: tc(1, "1"), code: http.StatusServiceUnavailable, why: metav1.StatusReasonServiceUnavailable},
		"NotBilled": {
			reason: "A plan without prices costs nothing.", down: errBoom, namespace: "free", now: tc(9, "9"),
		},
		"NoTenant": {reason: "Nor does a namespace without tenant.", down: errBoom, namespace: "default", now: tc(9, "9")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := newMarket(t)
			m.balance, m.phase, m.down = money.Micro(tc.balance)*money.Rupiah, tc.phase, tc.down
			namespace := tc.namespace
			if namespace == "" {
				namespace = "shop"
			}
			err := m.ask("owner", "tenantcontainers", namespace, tc.sub, tc.now, tc.old)
			check(t, tc.reason, err, tc.code, tc.why, tc.says...)
			if said := strings.Join(m.warnings, "\n"); err == nil && (tc.warns == "") != (said == "") || !strings.Contains(said, tc.warns) {
				t.Errorf("%s\nwarned %q, want %q", tc.reason, said, tc.warns)
			}
		})
	}
}

func edited(c *v1alpha1.TenantContainer) *v1alpha1.TenantContainer {
	c.Spec.Image = "nginx:2"

	return c
}

// check holds an answer against what it should be: nothing for code 0.
func check(t *testing.T, reason string, err error, code int32, why metav1.StatusReason, says ...string) {
	t.Helper()
	if code == 0 {
		if err != nil {
			t.Errorf("%s\nrefused: %v", reason, err)
		}
		return
	}
	status, ok := err.(apierrors.APIStatus)
	if !ok || status.Status().Code != code || why != "" && status.Status().Reason != why {
		t.Fatalf("%s\ngot %v, want %d %s", reason, err, code, why)
	}
	for _, part := range says {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s\ngot  %v\nwant %s", reason, err, part)
		}
	}
}

// TestCostOfLoopback: Dogker itself is asked nothing.
func TestCostOfLoopback(t *testing.T) {
	m := newMarket(t)
	m.down = errBoom
	if err := m.ask(Loopback, "tenantcontainers", "shop", "", tc(9, "9"), nil); err != nil {
		t.Error(err)
	}
}

// account with changes.
func account(change func(*billingv1.BillingAccount)) *billingv1.BillingAccount {
	a := &billingv1.BillingAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "default", Finalizers: []string{billingv1.FinalizerAccount}}}
	change(a)

	return a
}

func TestAccount(t *testing.T) {
	plain := account(func(*billingv1.BillingAccount) {})
	held := account(func(a *billingv1.BillingAccount) { a.Spec.Hold = &billingv1.AccountHold{Reason: "Abuse"} })
	given := account(func(a *billingv1.BillingAccount) {
		a.Annotations = map[string]string{billingv1.AnnotationWriteOff: "closed"}
	})
	codes := func(codes ...billingv1.CouponCode) *billingv1.BillingAccount {
		return account(func(a *billingv1.BillingAccount) { a.Spec.CouponCodes = codes })
	}
	cases := map[string]struct {
		reason   string
		who      string
		now, old *billingv1.BillingAccount
		code     int32
		says     string
	}{
		"Hold":           {"A hold is the platform's.", "platform", held, plain, 0, ""},
		"HoldByOwner":    {"And nobody else's.", "owner", held, plain, http.StatusForbidden, "spec.hold"},
		"LiftByOwner":    {"Nor does a tenant lift it.", "owner", plain, held, http.StatusForbidden, "spec.hold"},
		"UnderHold":      {"What else a tenant changes meanwhile is his.", "owner", account(func(a *billingv1.BillingAccount) { a.Spec.Hold, a.Spec.UTCOffsetHours = held.Spec.Hold, 8 }), held, 0, ""},
		"WriteOff":       {"So is giving up.", "platform", given, plain, 0, ""},
		"OwnersWriteOff": {"And nobody else's.", "owner", given, plain, http.StatusForbidden, "dogker.io/write-off"},
		"Finalizer":      {"What is owed is not let go of.", "owner", account(func(a *billingv1.BillingAccount) { a.Finalizers = nil }), plain, http.StatusForbidden, billingv1.FinalizerAccount},
		"Code":           {"A code that is one.", "owner", codes("gift-1"), plain, 0, ""},
		"Guess":          {"A code that is none.", "owner", codes("GIFT-2"), plain, http.StatusUnprocessableEntity, `spec.couponCodes[0]: Invalid value: "GIFT-2": this code is not accepted`},
		"UsedUp":         {"One that is used up says the same.", "owner", codes("GONE-1"), plain, http.StatusUnprocessableEntity, `spec.couponCodes[0]: Invalid value: "GONE-1": this code is not accepted`},
		"OldCode":        {"What was redeemed stays, whatever became of the coupon.", "owner", codes("GONE-1", "GIFT-1"), codes("GONE-1"), 0, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			check(t, tc.reason, newMarket(t).ask(tc.who, "billingaccounts", "shop", "", tc.now, tc.old), tc.code, "", tc.says)
		})
	}
}

// TestWriteOffIsSigned: who gives money up stands beside it, and nobody writes another name there.
func TestWriteOffIsSigned(t *testing.T) {
	object := func(annotations map[string]string) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{}}
		u.SetAnnotations(annotations)
		return u
	}
	request := func(now, old *unstructured.Unstructured) admission.Attributes {
		return admission.NewAttributesRecord(now, old, billingv1.GroupVersion.WithKind("BillingAccount"), "shop", "default",
			billingv1.GroupVersion.WithResource("billingaccounts"), "", admission.Update, nil, false, &user.DefaultInfo{Name: "platform"})
	}
	const note, by = billingv1.AnnotationWriteOff, billingv1.AnnotationWrittenOffBy
	cases := map[string]struct {
		reason   string
		old, now map[string]string
		want     map[string]string
		refused  bool
	}{
		"Given":     {"It is signed.", nil, map[string]string{note: "gone"}, map[string]string{note: "gone", by: "platform"}, false},
		"TakenBack": {"The signature goes with it.", map[string]string{note: "gone", by: "jane"}, map[string]string{by: "jane"}, map[string]string{}, false},
		"Changed":   {"Whoever changes it signs.", map[string]string{note: "gone", by: "jane"}, map[string]string{note: "moved", by: "jane"}, map[string]string{note: "moved", by: "platform"}, false},
		"Forged":    {"A name alone is nobody's to write.", map[string]string{note: "gone", by: "jane"}, map[string]string{note: "gone", by: "joe"}, map[string]string{note: "gone", by: "joe"}, true},
		"Invented":  {"Nor one for nothing.", nil, map[string]string{by: "joe"}, map[string]string{by: "joe"}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			a := request(object(tc.now), object(tc.old))
			if err := newMarket(t).plugin.Admit(t.Context(), a, nil); err != nil {
				t.Fatal(err)
			}
			got, _ := a.GetObject().(*unstructured.Unstructured)
			if diff := cmp.Diff(tc.want, got.GetAnnotations(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
			if err := (Platform{}).Validate(t.Context(), a, nil); (err != nil) != tc.refused {
				t.Errorf("%s\n%v", tc.reason, err)
			}
		})
	}
}

// TestGuessing: whoever guesses codes is told to wait, and those who have one are not.
func TestGuessing(t *testing.T) {
	m := newMarket(t)
	plain := account(func(*billingv1.BillingAccount) {})
	try := func(code billingv1.CouponCode) error {
		return m.ask("owner", "billingaccounts", "shop", "", account(func(a *billingv1.BillingAccount) { a.Spec.CouponCodes = []billingv1.CouponCode{code} }), plain)
	}
	for range 3 * codeBurst {
		if err := try("GIFT-1"); err != nil {
			t.Fatal(err)
		}
	}
	for range codeBurst {
		if err := try("GUESS-1"); !apierrors.IsInvalid(err) {
			t.Fatalf("got %v", err)
		}
	}
	if err := try("GUESS-1"); !apierrors.IsTooManyRequests(err) {
		t.Errorf("got %v", err)
	}
}

// topUp of an amount, in a phase.
func topUp(name string, amount billingv1.WholeAmount, phase billingv1.TopUpPhase) *billingv1.TopUp {
	return &billingv1.TopUp{
		TypeMeta:   metav1.TypeMeta{APIVersion: billingv1.GroupVersion.String(), Kind: "TopUp"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "u-1", CreationTimestamp: metav1.NewTime(moment)},
		Spec:       billingv1.TopUpSpec{Amount: amount}, Status: billingv1.TopUpStatus{Phase: phase},
	}
}

func TestTopUp(t *testing.T) {
	with := func(code billingv1.CouponCode) *billingv1.TopUp {
		out := topUp("web", "50000", "")
		out.Spec.CouponCode = code
		return out
	}
	waiting := []runtime.Object{topUp("a", "50000", billingv1.TopUpAwaitingPayment), topUp("b", "50000", "")}
	cases := map[string]struct {
		reason    string
		topUp     *billingv1.TopUp
		namespace string
		there     []runtime.Object
		code      int32
		says      string
	}{
		"Good":      {"Within the bounds of the plan.", topUp("web", "50000", ""), "shop", nil, 0, ""},
		"Least":     {"The bounds are within.", topUp("web", "10000", ""), "shop", nil, 0, ""},
		"TooLittle": {"Less is refused.", topUp("web", "9999", ""), "shop", nil, http.StatusUnprocessableEntity, `spec.amount: Invalid value: "9999": must be at least 10000`},
		"TooMuch":   {"More is refused.", topUp("web", "1000001", ""), "shop", nil, http.StatusUnprocessableEntity, `must be at most 1000000`},
		"Code":      {"With a coupon.", with("GIFT-1"), "shop", nil, 0, ""},
		"NoCode":    {"With a guess.", with("NONE-1"), "shop", nil, http.StatusUnprocessableEntity, `spec.couponCode: Invalid value: "NONE-1": this code is not accepted`},
		"Pending":   {"As many wait as may.", topUp("web", "50000", ""), "shop", waiting, http.StatusForbidden, "2 TopUps"},
		"Paid":      {"What was paid does not wait.", topUp("web", "50000", ""), "shop", []runtime.Object{topUp("a", "1", billingv1.TopUpCredited), topUp("b", "1", billingv1.TopUpExpired)}, 0, ""},
		"Free":      {"There is nothing to pay for.", topUp("web", "50000", ""), "free", nil, http.StatusForbidden, "has no prices"},
		"Nobodys":   {"There is nobody to pay for.", topUp("web", "50000", ""), "default", nil, http.StatusForbidden, "belongs to no tenant"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			check(t, tc.reason, newMarket(t, tc.there...).ask("owner", "topups", tc.namespace, "", tc.topUp, nil), tc.code, "", tc.says)
		})
	}
}

// TestTopUpsInARow: each is a call to the payment gateway.
func TestTopUpsInARow(t *testing.T) {
	m := newMarket(t)
	for range topUpBurst {
		if err := m.ask("owner", "topups", "shop", "", topUp("web", "50000", ""), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.ask("owner", "topups", "shop", "", topUp("web", "50000", ""), nil); !apierrors.IsTooManyRequests(err) {
		t.Errorf("got %v", err)
	}
}

// TestTopUpDeletion: what was paid stays, as the ledger knows it, whatever its status says.
func TestTopUpDeletion(t *testing.T) {
	m, old := newMarket(t), topUp("web", "50000", billingv1.TopUpAwaitingPayment)
	if err := m.ask("owner", "topups", "shop", "", nil, old); err != nil {
		t.Error(err)
	}
	order, err := payment.OrderIDOf("abcdef", "u-1", moment)
	if err != nil {
		t.Fatal(err)
	}
	m.paid[order] = true
	check(t, "A payment is evidence.", m.ask("owner", "topups", "shop", "", nil, old), http.StatusForbidden, metav1.StatusReasonForbidden, "it was paid")
	if err := m.ask(Loopback, "topups", "shop", "", nil, old); err != nil {
		t.Errorf("with its tenant it goes: %v", err)
	}
	m.down = errBoom
	check(t, "Nobody knows.", m.ask("owner", "topups", "shop", "", nil, old), http.StatusServiceUnavailable, "")
}

func TestPriceList(t *testing.T) {
	list := func(name, replaces string, from time.Time) *billingv1.PriceList {
		l := &billingv1.PriceList{TypeMeta: metav1.TypeMeta{APIVersion: billingv1.GroupVersion.String(), Kind: "PriceList"}, ObjectMeta: metav1.ObjectMeta{Name: name}}
		l.Spec.Replaces = v1alpha1.DNSLabel(replaces)
		if !from.IsZero() {
			l.Spec.EffectiveFrom = &metav1.Time{Time: from}
		}
		return l
	}
	hour := moment.Truncate(time.Hour)
	there := []runtime.Object{list("first", "", time.Time{}), list("second", "first", time.Time{})}
	cases := map[string]struct {
		reason string
		list   *billingv1.PriceList
		code   int32
		says   string
	}{
		"AtOnce":         {"Without a time it counts at once.", list("web", "", time.Time{}), 0, ""},
		"Later":          {"From an hour to come.", list("web", "second", hour.Add(time.Hour)), 0, ""},
		"Past":           {"What is charged stays charged.", list("web", "", hour), http.StatusUnprocessableEntity, `spec.effectiveFrom: Invalid value: "2026-11-22T10:00:00Z": must not be in the past`},
		"ReplacesNone":   {"There must be something to replace.", list("web", "third", time.Time{}), http.StatusUnprocessableEntity, `spec.replaces: Invalid value: "third": must be a PriceList that there is`},
		"ReplacesItself": {"And that is not the list itself.", list("web", "web", time.Time{}), http.StatusUnprocessableEntity, "must be another"},
		"Replaced":       {"A second successor would be one that nobody is charged by.", list("web", "first", time.Time{}), http.StatusUnprocessableEntity, `PriceList "second" does`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			check(t, tc.reason, newMarket(t, there...).ask("platform", "pricelists", "", "", tc.list, nil), tc.code, "", tc.says)
		})
	}
}

// TestRecords: Statements are written by Dogker, and by nobody else, an administrator not excepted.
func TestRecords(t *testing.T) {
	m, s := newMarket(t), &billingv1.Statement{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "2026-10"}}
	for _, who := range []string{"owner", "platform"} {
		check(t, "Nobody makes one.", m.ask(who, "statements", "shop", "", s, nil), http.StatusForbidden, metav1.StatusReasonForbidden)
		check(t, "Nobody takes one away.", m.ask(who, "statements", "shop", "", nil, s), http.StatusForbidden, metav1.StatusReasonForbidden)
	}
	if err := m.ask(Loopback, "statements", "shop", "", s, nil); err != nil {
		t.Error(err)
	}
}

// TestPlanWithoutPrices: a plan may come before its prices, and whoever applies it is told.
func TestPlanWithoutPrices(t *testing.T) {
	m := newMarket(t)
	for name, warns := range map[string]bool{"prices": false, "later": true} {
		p := &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: v1alpha1.PlanSpec{PriceListName: v1alpha1.ObjectName(name)}}
		if err := m.ask("platform", "plans", "", "", p, nil); err != nil || len(m.warnings) > 0 != warns {
			t.Errorf("%s: %v, %q", name, err, m.warnings)
		}
	}
}
