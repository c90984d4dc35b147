package adopt_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/adopt"
)

// engine has two tasks of each service, and replaces one of those that it is told to.
type engine struct {
	adopt.Engine

	live     *adopt.Live
	replaces string
	asked    int
}

func (e *engine) TaskList(context.Context, swarm.TaskListOptions) ([]swarm.Task, error) {
	e.asked++
	var out []swarm.Task
	for _, s := range e.live.Services {
		for _, n := range []string{"1", "2"} {
			id := s.ID + "-" + n
			if s.ID == e.replaces && e.asked > 1 {
				id += "-again"
			}
			out = append(out, swarm.Task{ID: id, ServiceID: s.ID, Status: swarm.TaskStatus{State: swarm.TaskStateRunning}})
		}
	}

	return out, nil
}

// server does to containers what the server would, as soon as they are there: verdict says with which reason it refuses a
// container; without one it adopts.
func server(t *testing.T, verdict map[string]string, objects ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}

	say := func(ctx context.Context, c client.WithWatch, tc *v1alpha1.TenantContainer) error {
		reason := verdict[tc.Name]
		tc.Status = v1alpha1.TenantContainerStatus{}
		switch id := tc.Annotations[v1alpha1.AnnotationAdopt]; {
		case reason != "" && id == "":
			reason = v1alpha1.ReasonNameConflict
		case reason == "":
			tc.Status.Service = &v1alpha1.ServiceStatus{ID: "id-" + tc.Name}
		}
		tc.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: metav1.ConditionFalse, Reason: reason, Message: "because"}}

		return c.Status().Update(ctx, tc)
	}

	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&v1alpha1.TenantContainer{}, &v1alpha1.Tenant{}).
		WithInterceptorFuncs(interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
				options := client.CreateOptions{}
				options.ApplyOptions(opts)
				if len(options.DryRun) > 0 && c.Get(ctx, client.ObjectKeyFromObject(o), o) == nil {
					return apierrors.NewAlreadyExists(v1alpha1.GroupVersion.WithResource("tenantcontainers").GroupResource(), o.GetName())
				}
				if err := c.Create(ctx, o, opts...); err != nil {
					return err
				}
				tc, ok := o.(*v1alpha1.TenantContainer)
				if !ok || len(options.DryRun) > 0 {
					return nil
				}

				return say(ctx, c, tc.DeepCopy())
			},
			Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
				if err := c.Patch(ctx, o, p, opts...); err != nil {
					return err
				}
				switch o := o.(type) {
				case *v1alpha1.TenantContainer:
					if verdict[o.Name] != "" {
						return say(ctx, c, o.DeepCopy())
					}
				case *v1alpha1.Tenant:
					now := o.DeepCopy()
					now.Status.Namespace = now.Name
					now.Status.Network = &v1alpha1.TenantNetwork{ID: now.Annotations[v1alpha1.AnnotationAdoptNetwork]}

					return c.Status().Update(ctx, now)
				}

				return nil
			},
		}).Build()
}

func shop() *v1alpha1.Tenant { return &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "shop"}} }

func TestImport(t *testing.T) {
	withConfig := func(s *swarm.Service) {
		con(s).Configs = []*swarm.ConfigReference{{ConfigID: "cfg-1", ConfigName: "shop_app", File: &swarm.ConfigReferenceFileTarget{Name: "/etc/app"}}}
	}
	cases := map[string]struct {
		reason   string
		verdict  map[string]string
		replaces string
		there    []client.Object
		adopted  string
		left     string // containers in the API afterwards
		says     string
	}{
		"Adopted": {reason: "All are.", adopted: "shop_api shop_web", left: "api web"},
		"Refused": {
			reason:  "Of what the server does not adopt nothing is left.",
			verdict: map[string]string{"web": v1alpha1.ReasonAdoptionRefused}, adopted: "shop_api", left: "api", says: `service "shop_web" is left alone: AdoptionRefused: because`,
		},
		"NotInTime": {
			reason:  "What may be adopted yet is not taken away: its service would go with it.",
			verdict: map[string]string{"web": v1alpha1.ReasonEngineUnavailable}, adopted: "shop_api", left: "api web", says: `"shop_web" is not adopted yet: EngineUnavailable`,
		},
		"Replaced":    {reason: "A task that was restarted is told.", replaces: "id-web", adopted: "shop_api shop_web", left: "api web"},
		"SameContent": {reason: "A second try finds what the first has made.", there: []client.Object{configMap("a=b\n")}, adopted: "shop_api shop_web", left: "api web"},
		"OtherContent": {
			reason: "Nothing is adopted on what somebody else has put there.", there: []client.Object{configMap("c=d\n")}, says: "something else in it",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := live(service("api"), service("web", withConfig))
			c := server(t, tc.verdict, append(tc.there, shop())...)
			var out bytes.Buffer
			i := &adopt.Importer{Engine: &engine{live: l, replaces: tc.replaces}, Client: c, Out: &out, Timeout: 200 * time.Millisecond, Poll: time.Millisecond}

			result, err := i.Prepare(t.Context(), l, options())
			if err != nil {
				t.Fatal(err)
			}
			got, err := i.Import(t.Context(), result, options())
			if (err != nil) != (tc.says != "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s\nerror %v, want %q", tc.reason, err, tc.says)
			}
			if adopted := strings.Join(got.Adopted, " "); adopted != tc.adopted || strings.Count(out.String(), " adopted\n") != len(got.Adopted) {
				t.Errorf("%s\nadopted %q, want %q; printed %q", tc.reason, adopted, tc.adopted, &out)
			}
			if replaced := strings.Join(got.Replaced, " "); (replaced != "") != (tc.replaces != "") {
				t.Errorf("%s\nreplaced %q", tc.reason, replaced)
			}
			if left := containers(t, c); left != tc.left {
				t.Errorf("%s\nthe API has %q, want %q", tc.reason, left, tc.left)
			}
		})
	}
}

func configMap(text string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "app"}, Data: map[string]string{"app": text}}
}

// containers are the names of those that the API has; none of them that was adopted may be annotated.
func containers(t *testing.T, c client.Client) string {
	t.Helper()
	var list v1alpha1.TenantContainerList
	if err := c.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tc := range list.Items {
		names = append(names, tc.Name)
		if tc.Status.Service != nil && tc.Annotations[v1alpha1.AnnotationAdopt] != "" {
			t.Errorf("%q was adopted and is still annotated", tc.Name)
		}
	}

	return strings.Join(names, " ")
}

func TestPrepare(t *testing.T) {
	l := live(service("api"), service("web"))
	other := shop()
	other.Status.Network = &v1alpha1.TenantNetwork{ID: "net-own", Name: "shop_default"}
	cases := map[string]struct {
		reason string
		there  []client.Object
		says   string
		left   string
	}{
		"NoTenant":     {"A namespace has its rules from its tenant.", nil, `no Tenant "shop"`, ""},
		"OtherNetwork": {"Nobody would reach anybody.", []client.Object{other}, "has a network of its own", ""},
		"TakenName": {"What is declared already is somebody's.", []client.Object{
			shop(), &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}},
		}, "", "shop_web"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			i := &adopt.Importer{Engine: &engine{live: l}, Client: server(t, nil, tc.there...), Out: &bytes.Buffer{}, Timeout: time.Second, Poll: time.Millisecond}
			result, err := i.Prepare(t.Context(), l, options())
			if (err != nil) != (tc.says != "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s\nerror %v, want %q", tc.reason, err, tc.says)
			}
			if left := strings.Join(result.LeftAlone, " "); left != tc.left {
				t.Errorf("%s\nleft alone %q, want %q", tc.reason, left, tc.left)
			}
		})
	}
}

func TestRead(t *testing.T) {
	a, b := service("api"), service("web", func(s *swarm.Service) {
		con(s).Configs = []*swarm.ConfigReference{{ConfigID: "cfg-1", ConfigName: "shop_app"}}
	})
	other := service("x", func(s *swarm.Service) { s.Spec.Name, s.Spec.Labels = "acme_x", nil })
	e := lists{services: []swarm.Service{b, other, a}}

	for name, tc := range map[string]struct {
		chosen func(swarm.Service) bool
		want   string
	}{
		"Stack":         {adopt.Stack("shop", nil), "shop_api shop_web"},
		"OneByShort":    {adopt.Stack("shop", []string{"web"}), "shop_web"},
		"OneByFullName": {adopt.Stack("shop", []string{"shop_api"}), "shop_api"},
		"Named":         {adopt.Named("acme_x"), "acme_x"},
		"Nothing":       {adopt.Named("nothing"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := adopt.Read(t.Context(), e, tc.chosen)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, s := range l.Services {
				names = append(names, s.Spec.Name)
			}
			if got := strings.Join(names, " "); got != tc.want || len(l.Services)+len(l.Others) != 3 {
				t.Errorf("got %q, want %q; %d others", got, tc.want, len(l.Others))
			}
		})
	}
}

// lists is an engine that shows services and one config.
type lists struct {
	adopt.Engine

	services []swarm.Service
}

func (l lists) ServiceList(context.Context, swarm.ServiceListOptions) ([]swarm.Service, error) {
	return l.services, nil
}

func (l lists) NetworkList(context.Context, network.ListOptions) ([]network.Summary, error) {
	return nil, nil
}

func (l lists) ConfigInspectWithRaw(context.Context, string) (swarm.Config, []byte, error) {
	return swarm.Config{Spec: swarm.ConfigSpec{Data: []byte("x")}}, nil, nil
}
