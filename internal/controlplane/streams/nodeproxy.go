package streams

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apiserver/pkg/registry/rest"
	api "k8s.io/kubernetes/pkg/apis/core"
)

// nodePages are the paths of a kubelet that there is something for. Everything else of it is not served.
var nodePages = []string{"metrics/cadvisor", "metrics/resource", "healthz"}

// nodeProxyREST answers what Prometheus asks kubelets through the API server. Nothing is passed on to the node.
type nodeProxyREST struct{ server *Server }

var _ rest.Connecter = (*nodeProxyREST)(nil)

func (*nodeProxyREST) New() runtime.Object      { return &api.NodeProxyOptions{} }
func (*nodeProxyREST) Destroy()                 {}
func (*nodeProxyREST) ConnectMethods() []string { return []string{http.MethodGet, http.MethodHead} }

func (*nodeProxyREST) NewConnectOptions() (options runtime.Object, subpath bool, param string) {
	return &api.NodeProxyOptions{}, true, "path"
}

// Connect takes [SCHEME:]NAME[:PORT] for a name, as Kubernetes does. A port says nothing here.
func (n *nodeProxyREST) Connect(_ context.Context, id string, options runtime.Object, _ rest.Responder) (http.Handler, error) {
	o, ok := options.(*api.NodeProxyOptions)
	if !ok {
		return nil, fmt.Errorf("invalid options object: %#v", options)
	}
	_, name, _, valid := utilnet.SplitSchemeNamePort(id)
	if !valid {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("invalid node request %q", id))
	}
	node, err := n.server.Pods.Node(name)
	if err != nil {
		return nil, answer(err, "nodes", name)
	}

	path := strings.Trim(o.Path, "/")
	if n.server.Pages != nil && slices.Contains(nodePages, path) {
		if page, ok := n.server.Pages.NodePage(node, path); ok {
			return page, nil
		}
	}

	return nil, apierrors.NewGenericServerResponse(http.StatusNotFound, "get", api.Resource("nodes/proxy"), name,
		fmt.Sprintf("nodes answer for %s", strings.Join(nodePages, ", ")), 0, false)
}
