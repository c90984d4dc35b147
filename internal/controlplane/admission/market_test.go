package admission

import (
	"context"
	"strings"
	"testing"
	"time"

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
		topUpResource: "TopUpList", priceListResource: "PriceListList", revisionResource: "ContainerRevisionList",
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
