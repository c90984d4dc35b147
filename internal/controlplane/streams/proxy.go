package streams

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/proxy"
	"k8s.io/apiserver/pkg/registry/rest"
	api "k8s.io/kubernetes/pkg/apis/core"
)

// Limits of one answer through the proxy. It is for pages of metrics and for a look at something; what is larger or takes
// longer is for a port-forward.
const (
	maxAnswerBytes  = 64 << 20
	maxPageBytes    = 4 << 20 // Of HTML, which is rewritten in memory.
	maxAnswerTime   = 5 * time.Minute
	maxHeaderTime   = time.Minute
	maxHeaderBytes  = 1 << 20
	defaultHTTPPort = 80
)

// podProxyREST passes requests for something to read on to ports of containers.
type podProxyREST struct{ server *Server }

var _ rest.Connecter = (*podProxyREST)(nil)

func (*podProxyREST) New() runtime.Object { return &api.PodProxyOptions{} }
func (*podProxyREST) Destroy()            {}

// ConnectMethods only read. Whatever else a container can be told is told through a port-forward, which is one of Dogker's
// streams and no request of a browser.
func (*podProxyREST) ConnectMethods() []string { return []string{http.MethodGet, http.MethodHead} }

func (*podProxyREST) NewConnectOptions() (options runtime.Object, subpath bool, param string) {
	return &api.PodProxyOptions{}, true, "path"
}

// Connect takes [SCHEME:]NAME[:PORT] for a name, as Kubernetes does.
func (p *podProxyREST) Connect(ctx context.Context, id string, options runtime.Object, responder rest.Responder) (http.Handler, error) {
	s := p.server
	o, ok := options.(*api.PodProxyOptions)
	if !ok {
		return nil, fmt.Errorf("invalid options object: %#v", options)
	}
	scheme, name, portName, valid := utilnet.SplitSchemeNamePort(id)
	if !valid {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("invalid pod request %q: it must be [http:|https:]NAME[:PORT]", id))
	}
	pod, err := s.find(ctx, name, "")
	if err != nil {
		return nil, err
	}
	if err := pod.running(); err != nil {
		return nil, err
	}
	port, err := pod.port(portName)
	if err != nil {
		return nil, err
	}
	if scheme == "" {
		scheme = "http"
	}
	location := &url.URL{Scheme: scheme, Host: net.JoinHostPort(name, strconv.Itoa(int(port))), Path: utilnet.JoinPreservingTrailingSlash("", o.Path)}

	return s.proxy(pod, port, location, responder), nil
}

// port by its number or its name; empty for the first that the container declares.
func (p found) port(name string) (uint16, error) {
	if n, err := strconv.ParseUint(name, 10, 16); err == nil && n > 0 {
		return uint16(n), nil
	}
	for _, c := range p.Spec.Containers {
		for _, declared := range c.Ports {
			if name == "" || declared.Name == name {
				return uint16(declared.ContainerPort), nil
			}
		}
	}
	if name == "" {
		return defaultHTTPPort, nil
	}

	return 0, apierrors.NewBadRequest(fmt.Sprintf("pod %q has no port %q: give a number from 1 to 65535, or the name of a port that it declares", p.Name, name))
}

// proxy passes one request on.
func (s *Server) proxy(pod found, port uint16, location *url.URL, responder rest.Responder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		st, err := s.open(r.Context(), kindProxy, pod)
		if err != nil {
			responder.Error(err)
			return
		}
		defer st.close()
		st.idle.stop()
		ctx, cancel := context.WithTimeout(st.ctx, maxAnswerTime)
		defer cancel()

		transport := &http.Transport{
			// Where it connects to is the container, whatever the location says.
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return s.Runtime.Dial(ctx, pod.place, port)
			},
			// Certificates of containers are their own. Nothing secret is sent to them.
			TLSClientConfig:        &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // See above.
			DisableKeepAlives:      true,
			DisableCompression:     true,
			ResponseHeaderTimeout:  maxHeaderTime,
			MaxResponseHeaderBytes: maxHeaderBytes,
		}
		through := proxy.NewUpgradeAwareHandler(location, disarmed{transport}, true, false, proxy.NewErrorResponder(responder))
		through.UseLocationHost = true
		through.ServeHTTP(w, withoutCredentials(r.WithContext(ctx)))
	})
}
