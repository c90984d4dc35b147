package tenancy

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/informers"
	kubefake "k8s.io/client-go/kubernetes/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/controlplane/bootstrap"
)

// cluster is a directory over objects in memory. Nothing is cached: all of it is asked for.
func cluster(t *testing.T, objects ...any) *Directory {
	t.Helper()
	var custom []runtime.Object
	var native []runtime.Object
	for _, o := range objects {
		if ns, ok := o.(*corev1.Namespace); ok {
			native = append(native, ns)

			continue
		}
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			t.Fatal(err)
		}
		custom = append(custom, &unstructured.Unstructured{Object: content})
	}
	kube := kubefake.NewClientset(native...)
	client := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		tenantsResource: "TenantList", plansResource: "PlanList", ContainersResource: "TenantContainerList",
		accountsResource: "BillingAccountList", priceListsResource: "PriceListList", couponsResource: "CouponList",
	}, custom...)
	d, err := NewDirectory(client, kube, informers.NewSharedInformerFactory(kube, 0))
	if err != nil {
		t.Fatal(err)
	}

	return d
}

func of(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: kind}
}

func publishing(namespace, name string, ports ...int32) *v1alpha1.TenantContainer {
	c := &v1alpha1.TenantContainer{TypeMeta: of("TenantContainer"), ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: types.UID(namespace + name), ResourceVersion: "100",
	}}
	for _, p := range ports {
		c.Spec.Ports = append(c.Spec.Ports, v1alpha1.Port{ContainerPort: 80, Protocol: "TCP", Publish: &v1alpha1.PortPublication{Port: p}})
	}

	return c
}

func claims(t *testing.T, d *Directory, c, before *v1alpha1.TenantContainer) (undo func(), refusal string) {
	t.Helper()
	undo, errs, err := d.Claim(t.Context(), c, before, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(errs) > 0 {
		refusal = errs.ToAggregate().Error()
	}

	return undo, refusal
}

// age makes a lease as old as it can be while its request is still under way, or older.
func age(t *testing.T, d *Directory, key, version string, by time.Duration) {
	t.Helper()
	leases := d.kube.CoordinationV1().Leases(bootstrap.Namespace)
	l, err := leases.Get(t.Context(), leaseName(key), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l.Spec.RenewTime.Time = l.Spec.RenewTime.Add(-by)
	l.ResourceVersion = version
	if _, err := leases.Update(t.Context(), l, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestClaim(t *testing.T) {
	mine, theirs := publishing("acme", "web", 8080), publishing("globex", "web", 8080)

	t.Run("Stored", func(t *testing.T) {
		d := cluster(t, mine)
		if _, no := claims(t, d, mine, nil); no != "" {
			t.Fatal(no)
		}
		age(t, d, "8080/tcp", "50", time.Hour)
		_, no := claims(t, d, theirs, nil)
		if !strings.Contains(no, "spec.ports[0].publish.port") || !strings.Contains(no, "another tenant has it") || strings.Contains(no, "acme") {
			t.Errorf("a stranger got %q", no)
		}
		if _, no := claims(t, d, publishing("acme", "other", 8080), nil); !strings.Contains(no, `TenantContainer "web" has it`) {
			t.Errorf("a neighbour got %q", no)
		}
		if _, no := claims(t, d, mine, mine); no != "" {
			t.Errorf("the holder itself got %q", no)
		}
	})
	t.Run("UnderWay", func(t *testing.T) {
		d := cluster(t)
		claims(t, d, mine, nil)
		if _, no := claims(t, d, theirs, nil); no == "" {
			t.Error("a port was taken from a request that is under way")
		}
		age(t, d, "8080/tcp", "", 2*grace)
		if _, no := claims(t, d, theirs, nil); no != "" {
			t.Errorf("a port whose container was never stored is kept: %s", no)
		}
	})
	t.Run("Undone", func(t *testing.T) {
		d := cluster(t)
		undo, _ := claims(t, d, mine, nil)
		undo()
		if _, no := claims(t, d, theirs, nil); no != "" {
			t.Errorf("a port of a request that was refused is kept: %s", no)
		}
	})
	t.Run("GivenUp", func(t *testing.T) {
		without := publishing("acme", "web")
		d := cluster(t, without)
		claims(t, d, mine, nil)
		age(t, d, "8080/tcp", "99", 0)
		if _, no := claims(t, d, theirs, nil); no != "" {
			t.Errorf("a container that was stored without the port after the claim keeps it: %s", no)
		}
	})
	t.Run("TakenAgain", func(t *testing.T) {
		without := publishing("acme", "web")
		d := cluster(t, without)
		claims(t, d, mine, without)
		age(t, d, "8080/tcp", "101", 0)
		if _, no := claims(t, d, theirs, nil); no == "" {
			t.Error("a claim that is younger than its container was not believed")
		}
	})
	t.Run("Protocols", func(t *testing.T) {
		d := cluster(t, mine)
		claims(t, d, mine, nil)
		udp := publishing("globex", "dns", 8080)
		udp.Spec.Ports[0].Protocol = "UDP"
		if _, no := claims(t, d, udp, nil); no != "" {
			t.Errorf("UDP is refused for TCP: %s", no)
		}
	})
	t.Run("WithoutTenants", func(t *testing.T) {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "acme"}}
		d := cluster(t, mine, ns)
		claims(t, d, mine, nil)
		if _, errs, err := d.Claim(t.Context(), theirs, nil, false); err != nil || len(errs) > 0 {
			t.Errorf("two containers without tenants cannot share a port, as they always could: %v, %v", errs, err)
		}
	})
}

// TestPolicy: no namespace of a tenant passes for one of nobody.
func TestPolicy(t *testing.T) {
	labelled := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "acme", Labels: map[string]string{v1alpha1.LabelTenant: "acme"}}}
	free := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "acme"}}
	tenant := &v1alpha1.Tenant{TypeMeta: of("Tenant"), ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: v1alpha1.TenantSpec{PlanName: "small"}}
	plan := &v1alpha1.Plan{TypeMeta: of("Plan"), ObjectMeta: metav1.ObjectMeta{Name: "small"}, Spec: v1alpha1.PlanSpec{SecurityProfile: v1alpha1.ProfileBaseline}}

	for name, tc := range map[string]struct {
		reason  string
		objects []any
		tenant  bool
		err     string
	}{
		"Complete":   {reason: "The label leads to the tenant and on to its plan.", objects: []any{labelled, tenant, plan}, tenant: true},
		"Nobody":     {reason: "A namespace without label is nobody's.", objects: []any{free}},
		"NoPlan":     {reason: "Without a plan nothing is allowed.", objects: []any{labelled, tenant}, err: `there is no Plan "small"`},
		"NoTenant":   {reason: "A label is no tenant.", objects: []any{labelled}, err: `there is no Tenant "acme"`},
		"NotThere":   {reason: "What is not there is refused elsewhere.", objects: nil},
		"NotOfLabel": {reason: "A Tenant of the name alone does not own the namespace: it may have been refused it.", objects: []any{free, tenant, plan}},
	} {
		t.Run(name, func(t *testing.T) {
			p, ok, err := cluster(t, tc.objects...).Policy(t.Context(), "acme")
			if ok != tc.tenant || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s\ngot %v, %v", tc.reason, ok, err)
			}
			if ok && p.Profile() != v1alpha1.ProfileBaseline {
				t.Errorf("the profile is %q", p.Profile())
			}
		})
	}
}
