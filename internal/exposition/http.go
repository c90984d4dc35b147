package exposition

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/endpoints/request"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// Where pages and lists are.
const (
	// Group and Version of what is shown to tenants. Its resources have no objects: they can be read, and RBAC knows them.
	Group, Version = "monitoring.dogker.io", "v1alpha1"
	// MetricsResource is the page of a namespace, or of the platform; its verb is list.
	MetricsResource = "metrics"
	// TargetsResource is the list of a namespace's targets, or of everybody's; its verb is list.
	TargetsResource = "targets"
	// NodesPath and PodsPath are the lists of targets for the platform's own Prometheus.
	NodesPath = "/sd/prometheus/nodes"
	PodsPath  = "/sd/prometheus/pods"
	// CAdvisorPage, ResourcePage and HealthPage are the pages of a node that its kubelet would have.
	CAdvisorPage, ResourcePage, HealthPage = "metrics/cadvisor", "metrics/resource", "healthz"
	// retryAfterSeconds is when to come back before anything is known.
	retryAfterSeconds = 5
)

// Handler answers what is asked here. All else goes on to next. It stands behind authorization: whoever comes this far may
// read.
func (s *Server) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, ok := request.RequestInfoFrom(r.Context())
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		answer := s.route(info)
		if answer == nil {
			next.ServeHTTP(w, r)
			return
		}
		if err := s.serve(w, r, info, answer); err != nil {
			s.fail(w, r, info.Namespace, err)
		}
	})
}

// answer writes what was asked for, or returns an error before it has written anything.
type answer func(w http.ResponseWriter, r *http.Request, namespace string) error

// route finds who answers a request; nil when it is not asked here.
func (s *Server) route(info *request.RequestInfo) answer {
	switch {
	case !info.IsResourceRequest && info.Path == NodesPath:
		return s.listNodes
	case !info.IsResourceRequest && info.Path == PodsPath:
		return s.listAllPods
	case !info.IsResourceRequest, info.APIGroup != Group, info.APIVersion != Version, info.Subresource != "":
		return nil
	case info.Resource == MetricsResource:
		return s.showMetrics
	case info.Resource == TargetsResource:
		return s.listPods
	default:
		return nil
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, info *request.RequestInfo, a answer) error {
	resource := schema.GroupResource{Group: Group, Resource: info.Resource}
	if info.Name != "" {
		return apierrors.NewNotFound(resource, info.Name)
	}
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		return apierrors.NewMethodNotSupported(resource, info.Verb)
	}
	leave, err := s.enter(r.Context())
	if err != nil {
		return err
	}
	defer leave()

	return a(w, r, info.Namespace)
}

// enter waits for a place among those that are answered.
func (s *Server) enter(ctx context.Context) (leave func(), err error) {
	select {
	case s.room <- struct{}{}:
		return func() { <-s.room }, nil
	case <-ctx.Done():
		return nil, apierrors.NewTooManyRequests("too many pages are made at the moment", retryAfterSeconds)
	}
}

func (s *Server) showMetrics(w http.ResponseWriter, r *http.Request, namespace string) error {
	page, err := s.platformOr(r.Context(), namespace)
	if err != nil {
		return err
	}
	write(w, r, page)

	return nil
}

func (s *Server) platformOr(ctx context.Context, namespace string) (gathered, error) {
	if namespace == "" {
		return s.platform(ctx)
	}

	return s.tenant(ctx, namespace)
}

func (s *Server) listNodes(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL.Query()); err != nil {
		return err
	}
	targets, err := s.nodeTargets(withPort(r.Host))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, targets)

	return nil
}

func (s *Server) listAllPods(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL.Query(), "namespace"); err != nil {
		return err
	}

	return s.pods(w, r, r.URL.Query().Get("namespace"))
}

func (s *Server) listPods(w http.ResponseWriter, r *http.Request, namespace string) error {
	if err := parameters(r.URL.Query()); err != nil {
		return err
	}

	return s.pods(w, r, namespace)
}

func (s *Server) pods(w http.ResponseWriter, r *http.Request, namespace string) error {
	targets, err := s.podTargets(r.Context(), withPort(r.Host), namespace)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, targets)

	return nil
}

// parameters refuses those that are not known: a filter that does nothing shows more than was meant.
func parameters(given url.Values, known ...string) error {
	for name := range given {
		found := name == "timeout"
		for _, k := range known {
			found = found || k == name
		}
		if !found {
			return apierrors.NewBadRequest("parameter " + strconv.Quote(name) + ": there is no such parameter here")
		}
	}

	return nil
}

// NodePage is the page of a node under a path; false where there is no such page.
func (s *Server) NodePage(node, path string) (http.Handler, bool) {
	switch path {
	case CAdvisorPage, ResourcePage:
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.showNode(w, r, node, path) }), true
	case HealthPage:
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.showHealth(w, node) }), true
	default:
		return nil, false
	}
}

func (s *Server) showNode(w http.ResponseWriter, r *http.Request, node, path string) {
	name, known := s.o.NodeNames(s.o.Swarm.Nodes())[node]
	if !known {
		s.fail(w, r, "", apierrors.NewNotFound(schema.GroupResource{Resource: "nodes"}, node))
		return
	}
	// A node that says nothing must not look like one on which nothing runs: its target is down.
	if _, _, ok := s.samples().Machine(node); !ok {
		s.fail(w, r, "", apierrors.NewServiceUnavailable("node "+strconv.Quote(name)+" was not heard of for "+telemetry.Stale.String()))
		return
	}
	leave, err := s.enter(r.Context())
	if err != nil {
		s.fail(w, r, "", err)
		return
	}
	defer leave()

	page := s.node(node, name)
	if path == ResourcePage {
		page = resource(page)
	}
	write(w, r, page)
}

// resource is the part of a page that kubelets show for autoscalers.
func resource(all gathered) gathered {
	var out gathered
	for _, f := range all {
		switch f.GetName() {
		case "container_cpu_usage_seconds_total", "container_memory_working_set_bytes", "container_start_time_seconds",
			machineCPU.Name, machineWorkingSet.Name:
			out = append(out, f)
		}
	}

	return out
}

// showHealth says ok while samples come from the node.
func (s *Server) showHealth(w http.ResponseWriter, node string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if _, _, ok := s.samples().Machine(node); !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("the node was not heard of for " + telemetry.Stale.String()))

		return
	}
	_, _ = w.Write([]byte("ok"))
}

func write(w http.ResponseWriter, r *http.Request, page gathered) {
	w.Header().Set("Cache-Control", "no-store")
	promhttp.HandlerFor(page, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

// fail says what is wrong, as the API server does.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, namespace string, err error) {
	var told apierrors.APIStatus
	status := metav1.Status{}
	if errors.As(err, &told) {
		status = told.Status()
	} else {
		s.o.Log.WarnContext(r.Context(), "Metrics cannot be shown now", logkey.Tenant, namespace, logkey.Err, err)
		// Why is the platform's business: words of the engine do not go to tenants.
		status = apierrors.NewServiceUnavailable("what runs is not known at the moment").Status()
	}
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	if status.Details != nil && status.Details.RetryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(status.Details.RetryAfterSeconds)))
	}
	writeJSON(w, int(status.Code), status)
}

func writeJSON(w http.ResponseWriter, code int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer)
}
