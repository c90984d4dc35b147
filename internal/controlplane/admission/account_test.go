package admission

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
)

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

// TestCodeOfNobody: in a namespace without tenant there is nobody to give something to.
func TestCodeOfNobody(t *testing.T) {
	a := account(func(a *billingv1.BillingAccount) { a.Spec.CouponCodes = []billingv1.CouponCode{"GIFT-1"} })
	check(t, "It is no failure of the server.", newMarket(t).ask("owner", "billingaccounts", "default", "", a, nil), http.StatusForbidden, "", "belongs to no tenant")
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
