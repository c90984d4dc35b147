package streams

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/rest"
	api "k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/core/validation"

	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

const plainText = "text/plain"

// logREST reads what containers have written.
type logREST struct{ server *Server }

var (
	_ rest.GetterWithOptions = (*logREST)(nil)
	_ rest.StorageMetadata   = (*logREST)(nil)
)

func (*logREST) New() runtime.Object               { return &api.Pod{} }
func (*logREST) Destroy()                          {}
func (*logREST) ProducesMIMETypes(string) []string { return []string{plainText} }
func (*logREST) ProducesObject(string) any         { return "" }

func (*logREST) NewGetOptions() (options runtime.Object, subpath bool, param string) {
	return &api.PodLogOptions{}, false, ""
}

// Get finds the container that is meant. Its log is opened when the answer is written. InsecureSkipTLSVerifyBackend says
// nothing here: agents are always verified.
func (l *logREST) Get(ctx context.Context, name string, options runtime.Object) (runtime.Object, error) {
	o, ok := options.(*api.PodLogOptions)
	if !ok {
		return nil, fmt.Errorf("invalid options object: %#v", options)
	}
	if o.Stream == nil {
		all := api.LogStreamAll
		o.Stream = &all
	}
	if errs := validation.ValidatePodLogOptions(o, true); len(errs) > 0 {
		return nil, apierrors.NewInvalid(api.Kind("PodLogOptions"), name, errs)
	}
	pod, err := l.server.find(ctx, name, o.Container)
	if err != nil {
		return nil, err
	}

	place := pod.place
	switch {
	case o.Previous && pod.before == nil:
		return nil, apierrors.NewBadRequest(fmt.Sprintf("previous terminated container %q in pod %q not found", pod.container(), name))
	case o.Previous:
		place = *pod.before
	case place.Container == "":
		return nil, pod.waiting()
	}

	return &podLog{server: l.server, pod: pod, place: place, options: o}, nil
}

// podLog is a log as an answer.
type podLog struct {
	server  *Server
	pod     found
	place   fleet.Place
	options *api.PodLogOptions
}

var _ rest.ResourceStreamer = (*podLog)(nil)

func (*podLog) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject is never needed: the log is written and forgotten.
func (p *podLog) DeepCopyObject() runtime.Object { return p }

// InputStream opens the log. It ends with the request, and no client follows a log beyond the stop of the server.
func (p *podLog) InputStream(ctx context.Context, _, _ string) (stream io.ReadCloser, flush bool, mimeType string, err error) {
	st, err := p.server.open(ctx, kindLog, p.pod)
	if err != nil {
		return nil, false, "", err
	}
	// Whoever follows a log waits for it, and may wait for days.
	st.idle.stop()

	raw, err := p.read(st)
	if err != nil {
		st.close()
		return nil, false, "", err
	}

	text := &lines{src: newFrames(raw, *p.options.Stream, p.options.Timestamps), left: -1}
	if p.options.LimitBytes != nil {
		text.left = *p.options.LimitBytes
	}
	text.close = func() error {
		st.close()
		return raw.Close()
	}

	return text, p.options.Follow, plainText, nil
}

// read asks the node of the container, and a manager of the swarm when nobody on the node can be asked.
func (p *podLog) read(st *stream) (io.ReadCloser, error) {
	o := p.wanted(time.Now())
	raw, err := p.server.Runtime.Logs(st.ctx, p.place, o)
	if errors.Is(err, swarmobj.ErrUnavailable) {
		raw, err = p.throughManager(st, o)
	}
	if errors.Is(err, swarmobj.ErrNotFound) {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("container %q in pod %q is not available: its node has removed it, and its log with it", p.pod.container(), p.pod.Name))
	}
	if err != nil {
		return nil, answer(err, "pods", p.pod.Name)
	}

	return raw, nil
}

// wanted says it in the words of the runtime.
func (p *podLog) wanted(now time.Time) fleet.LogOptions {
	o := fleet.LogOptions{
		Stdout: *p.options.Stream != api.LogStreamStderr, Stderr: *p.options.Stream != api.LogStreamStdout,
		Follow: p.options.Follow && !p.options.Previous, Timestamps: p.options.Timestamps, Tail: -1,
	}
	if p.options.TailLines != nil {
		o.Tail = int(min(*p.options.TailLines, maxTail))
	}
	switch {
	case p.options.SinceTime != nil:
		o.Since = p.options.SinceTime.Time
	case p.options.SinceSeconds != nil:
		o.Since = now.Add(-time.Duration(min(*p.options.SinceSeconds, maxSinceSeconds)) * time.Second)
	}

	return o
}

// What is more is all there is.
const (
	maxTail         = 1 << 30
	maxSinceSeconds = 10 * 365 * 24 * 60 * 60
)

// lines is a log as text, up to so many bytes; a negative number is no limit.
type lines struct {
	src   io.Reader
	left  int64
	close func() error
}

func (l *lines) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	if l.left > 0 && int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.src.Read(p)
	if l.left > 0 {
		l.left -= int64(n)
	}

	return n, err
}

func (l *lines) Close() error { return l.close() }
