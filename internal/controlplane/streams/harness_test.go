package streams

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/endpoints/handlers/responsewriters"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	api "k8s.io/kubernetes/pkg/apis/core"

	// The options register themselves.
	_ "k8s.io/kubernetes/pkg/apis/core/install"

	"github.com/dogker/dogker/internal/fake/containers"
	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// shown are pods by namespace/name, and nodes by name.
type shown struct {
	mu    sync.Mutex
	pods  map[string]found
	nodes map[string]string
	state error
}

func (s *shown) Pod(namespace, name string) (*corev1.Pod, fleet.Place, *fleet.Place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.state != nil {
		return nil, fleet.Place{}, nil, s.state
	}
	p, ok := s.pods[namespace+"/"+name]
	if !ok {
		return nil, fleet.Place{}, nil, swarmobj.ErrNotFound
	}

	return p.Pod.DeepCopy(), p.place, p.before, nil
}

func (s *shown) Node(name string) (string, error) {
	if id, ok := s.nodes[name]; ok {
		return id, nil
	}

	return "", swarmobj.ErrNotFound
}

// change changes a pod.
func (s *shown) change(key string, how func(*found)) {
	s.mu.Lock()
	defer s.mu.Unlock()

	p := s.pods[key]
	p.Pod = p.Pod.DeepCopy()
	how(&p)
	s.pods[key] = p
}

// world is a Server behind HTTP, with two tenants: a has the pods web, old and waiting, b has the pod db.
type world struct {
	server   *Server
	shown    *shown
	runtime  *containers.Runtime
	web, db  *containers.Container
	url      string
	rights   func(authorizer.Attributes) bool
	registry *prometheus.Registry
	stop     chan struct{}
}

// newWorld lets o change the options before the server is made.
func newWorld(t *testing.T, change func(*Options)) *world {
	t.Helper()
	w := &world{
		runtime: containers.New(), registry: prometheus.NewRegistry(), stop: make(chan struct{}),
		rights: func(authorizer.Attributes) bool { return true },
		shown: &shown{nodes: map[string]string{"n1": "node1"}, pods: map[string]found{
			"a/web":     running("a", "web", &fleet.Place{Node: "node1", Task: "task0", Container: "before"}),
			"a/old":     running("a", "old", nil),
			"a/waiting": running("a", "waiting", nil),
			"b/db":      running("b", "db", nil),
		}},
	}
	w.web, w.db = w.runtime.Add("c-web"), w.runtime.Add("c-db")
	w.runtime.Add("before").Print("what was before\n")
	w.runtime.Add("c-old")
	w.shown.change("a/old", func(p *found) { p.Status.Phase = corev1.PodFailed })
	w.shown.change("a/waiting", func(p *found) {
		p.place.Container, p.Status.Phase = "", corev1.PodPending
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "no such image"}}}}
	})

	o := Options{
		Pods: w.shown, Runtime: w.runtime, TaskLogs: noManager{}, PerNamespace: DefaultPerNamespace, Idle: DefaultIdle, Stop: w.stop,
		Authorizer: authorizer.AuthorizerFunc(func(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
			if w.rights(a) {
				return authorizer.DecisionAllow, "", nil
			}
			return authorizer.DecisionNoOpinion, "no rule", nil
		}),
		Metrics: w.registry, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	w.server = New(o)
	front := httptest.NewTLSServer(w.serve())
	t.Cleanup(front.Close)
	w.url = front.URL

	return w
}

func running(namespace, name string, before *fleet.Place) found {
	return found{
		Pod: &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: "uid"},
			Spec: corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{
				Name: "main", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}, {Name: "metrics", ContainerPort: 9090}},
			}}},
			Status: corev1.PodStatus{Phase: corev1.PodRunning},
		},
		place: fleet.Place{Node: "node1", Task: "task-" + name, Container: "c-" + name}, before: before,
	}
}

// serve plays the part of the API server: it says who asks for what, and reads the options.
func (w *world) serve() http.Handler {
	storage := w.server.Storage()
	resolver := &request.RequestInfoFactory{APIPrefixes: sets.NewString("api"), GrouplessAPIPrefixes: sets.NewString("api")}

	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		info, err := resolver.NewRequestInfo(r)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		ctx := request.WithRequestInfo(r.Context(), info)
		ctx = request.WithUser(ctx, &user.DefaultInfo{Name: "ann"})
		ctx = request.WithNamespace(ctx, info.Namespace)
		r = r.WithContext(ctx)
		fail := responder{rw}

		switch s := storage[info.Resource+"/"+info.Subresource].(type) {
		case rest.Connecter:
			o, _, _ := s.NewConnectOptions()
			w.options(r, o)
			_, path, _ := strings.Cut(r.URL.Path, "/proxy")
			switch o := o.(type) {
			case *api.PodProxyOptions:
				o.Path = path
			case *api.NodeProxyOptions:
				o.Path = path
			}
			h, err := s.Connect(ctx, info.Name, o, fail)
			if err != nil {
				fail.Error(err)
				return
			}
			h.ServeHTTP(rw, r)
		case rest.GetterWithOptions:
			o, _, _ := s.NewGetOptions()
			w.options(r, o)
			object, err := s.Get(ctx, info.Name, o)
			if err != nil {
				fail.Error(err)
				return
			}
			responsewriters.StreamObject(http.StatusOK, corev1.SchemeGroupVersion, legacyscheme.Codecs, object.(rest.ResourceStreamer), rw, r)
		default:
			http.NotFound(rw, r)
		}
	})
}

func (w *world) options(r *http.Request, into runtime.Object) {
	if err := legacyscheme.ParameterCodec.DecodeParameters(r.URL.Query(), corev1.SchemeGroupVersion, into); err != nil {
		panic(err)
	}
}

type responder struct{ w http.ResponseWriter }

func (r responder) Object(int, runtime.Object) {}

func (r responder) Error(err error) {
	status := responsewriters.ErrorToAPIStatus(err)
	r.w.Header().Set("Content-Type", "application/json")
	r.w.WriteHeader(int(status.Code))
	_ = json.NewEncoder(r.w).Encode(status)
}

// soon is how long anything may take here.
const soon = 10 * time.Second

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(soon); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, soon)
		}
	}
}
