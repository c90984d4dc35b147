package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

// stopTimeout bounds how long a server may take to stop.
const stopTimeout = 30 * time.Second

// Server is a `dogker server`, and the administrator's way in.
type Server struct {
	// Config of a client that is not slowed down.
	Config *rest.Config
	// Client knows our kinds and Kubernetes' own.
	Client client.WithWatch
	// ReadyAfter is the time from its start until it was ready.
	ReadyAfter time.Duration
	// LogFile holds what it says.
	LogFile string

	raw     rest.Interface
	dataDir string
	cmd     *exec.Cmd
	ended   chan error
}

// Build compiles the server into the directory and returns the path of the program.
func Build(ctx context.Context, dir string) (string, error) {
	out := filepath.Join(dir, "dogker")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", out, "github.com/dogker/dogker/cmd/dogker")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build dogker: %w: %s", err, text)
	}

	return out, nil
}

// StartServer starts the program on a data directory, with flags beside those that it needs, and waits until it is ready.
func StartServer(ctx context.Context, program, dataDir, dockerHost string, flags ...string) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}

	s := &Server{LogFile: dataDir + ".log", dataDir: dataDir, ended: make(chan error, 1)}
	log, err := os.OpenFile(s.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()

	s.cmd = exec.Command(program, append([]string{"server", "--data-dir", dataDir, "--listen", "127.0.0.1:" + port}, flags...)...)
	s.cmd.Env = append(os.Environ(), "DOCKER_HOST="+dockerHost)
	s.cmd.Stdout, s.cmd.Stderr = log, log

	began := time.Now()
	if err := start(s.cmd); err != nil {
		return nil, fmt.Errorf("start dogker: %w", err)
	}
	go func() { s.ended <- s.cmd.Wait() }()

	if err := s.connect(ctx, filepath.Join(dataDir, "admin.kubeconfig"), port); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	s.ReadyAfter = time.Since(began)

	return s, nil
}

// connect waits until the server is ready. The kubeconfig of an earlier start may name another port.
func (s *Server) connect(ctx context.Context, kubeconfig, port string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()

	return poll(ctx, 10*time.Millisecond, "wait until dogker is ready", func() (bool, error) {
		select {
		case err := <-s.ended:
			s.ended <- err
			return false, fmt.Errorf("dogker has ended: %w\n%s", err, s.logTail())
		default:
		}

		if s.Client == nil {
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil || !strings.HasSuffix(config.Host, ":"+port) {
				return false, nil
			}
			// A negative rate is no limit at all.
			config.QPS = -1
			config.Timeout = 0
			// What the API warns of is meant for people.
			config.WarningHandler = rest.NoWarnings{}
			made, err := client.NewWithWatch(config, client.Options{Scheme: scheme()})
			if err != nil {
				return false, err
			}
			s.Config, s.Client = config, made
			if s.raw, err = s.Raw(); err != nil {
				return false, err
			}
		}

		return s.raw.Get().AbsPath("/readyz").Do(ctx).Error() == nil, nil
	})
}

// Raw is a client with a connection of its own that leaves bodies as they are.
func (s *Server) Raw() (rest.Interface, error) { return rawClient(rest.CopyConfig(s.Config)) }

func rawClient(config *rest.Config) (rest.Interface, error) {
	config.NegotiatedSerializer = clientgoscheme.Codecs.WithoutConversion()
	// Clients whose dialers differ share no connection.
	config.Dial = new(net.Dialer).DialContext

	return rest.UnversionedRESTClientFor(config)
}

// Process is the server.
func (s *Server) Process() Process { return Process(s.cmd.Process.Pid) }

// Stop asks the server to stop and waits. It may be called more than once.
func (s *Server) Stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)

	select {
	case err := <-s.ended:
		s.ended <- err
		return err
	case <-time.After(stopTimeout):
		_ = s.cmd.Process.Kill()
		return fmt.Errorf("dogker does not stop:\n%s", s.logTail())
	}
}

// Kill ends the server at once, and waits until it is gone. Stop has nothing to do then.
func (s *Server) Kill() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill dogker: %w", err)
	}
	<-s.ended
	s.ended <- nil

	return nil
}

// Kubectl runs the program's kubectl as the administrator.
func (s *Server) Kubectl(ctx context.Context, args ...string) error {
	_, err := s.AskKubectl(ctx, args...)

	return err
}

// AskKubectl runs it for what it answers.
func (s *Server) AskKubectl(ctx context.Context, args ...string) (Answer, error) {
	flags := []string{
		"kubectl", "--kubeconfig", filepath.Join(s.dataDir, "admin.kubeconfig"), "--cache-dir", s.dataDir + ".kube",
	}

	return ask(ctx, "kubectl", s.cmd.Path, append(flags, args...)...)
}

// CPUProfile watches for some seconds where the server's CPU time goes, and writes that to the file.
func (s *Server) CPUProfile(ctx context.Context, file string, seconds int) error {
	content, err := s.raw.Get().AbsPath("/debug/pprof/profile").Param("seconds", strconv.Itoa(seconds)).Do(ctx).Raw()
	if err != nil {
		return fmt.Errorf("profile dogker: %w", err)
	}

	return os.WriteFile(file, content, 0o644)
}

// Metric sums the samples of a metric whose labels contain all of the pairs, such as `op="ServiceCreate"`. It is an error
// when there are none.
func (s *Server) Metric(ctx context.Context, name string, pairs ...string) (float64, error) {
	text, err := s.raw.Get().AbsPath("/metrics").Do(ctx).Raw()
	if err != nil {
		return 0, fmt.Errorf("read metrics: %w", err)
	}

	sum, found := 0.0, false
	for line := range strings.Lines(string(text)) {
		if value, ok := sample(line, name, pairs); ok {
			sum, found = sum+value, true
		}
	}
	if !found {
		return 0, fmt.Errorf("dogker has no metric %s with %q", name, pairs)
	}

	return sum, nil
}

// sample reads a line of Prometheus' text format if it is about the metric.
func sample(line, name string, pairs []string) (float64, bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), name)
	if !ok || rest == "" || (rest[0] != '{' && rest[0] != ' ') {
		return 0, false
	}
	end := strings.LastIndexByte(rest, ' ')
	for _, p := range pairs {
		if !strings.Contains(rest[:end], p) {
			return 0, false
		}
	}
	value, err := strconv.ParseFloat(rest[end+1:], 64)

	return value, err == nil
}

func (s *Server) logTail() string {
	content, err := os.ReadFile(s.LogFile)
	if err != nil {
		return err.Error()
	}

	return string(content[max(0, len(content)-3000):])
}

func scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	utilruntime.Must(billingv1.AddToScheme(s))
	utilruntime.Must(gitopsv1.AddToScheme(s))

	return s
}

// freePort is a port of the loopback that was free a moment ago.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())

	return port, err
}
