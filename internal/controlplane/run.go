package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/dogker/dogker/internal/controlplane/bootstrap"
	"github.com/dogker/dogker/reconciler/logkey"
)

const (
	// renewPeriod is how often certificates are looked at. It is a small part of the time by which they are renewed
	// ahead of their end.
	renewPeriod = 12 * time.Hour
	// clientGrace is how long what OnServing started may take to end, and serverGrace how long the API may take after
	// that. Together they stay below the ten seconds that scripts and init systems wait.
	clientGrace = 4 * time.Second
	serverGrace = 5 * time.Second
	// answerPoll is how often we look whether the API has started.
	answerPoll = 20 * time.Millisecond
)

// Run serves until the context ends, or until something fails without which it cannot go on. It may be called once.
func (s *Server) Run(ctx context.Context) error {
	defer func() {
		if err := s.close(); err != nil {
			s.log.Error("Closing the data directory failed", logkey.Err, err)
		}
	}()

	var served atomic.Bool
	if err := s.AddReadyCheck("kinds", func(*http.Request) error {
		if !served.Load() {
			return errors.New("kinds are not served yet")
		}
		return nil
	}); err != nil {
		return err
	}
	prepared, err := s.chain.front.PrepareRun()
	if err != nil {
		return fmt.Errorf("prepare API server: %w", err)
	}

	// The API outlives its clients, which have things to put in order when they stop, such as their lease.
	api := start(context.WithoutCancel(ctx), prepared.Run)
	clients := start(ctx, func(ctx context.Context) error { return s.runClients(ctx, &served) })

	var failure error
	select {
	case <-ctx.Done():
	case <-clients.done:
		failure = clients.err
	case <-api.done:
		failure = fmt.Errorf("API server ended: %w", api.err)
	case err := <-s.store.Failed():
		failure = fmt.Errorf("etcd ended: %w", err)
	}

	s.log.Info("Stopping server")
	if !clients.stop(clientGrace) {
		s.log.Warn("Controllers did not stop in time", logkey.After, clientGrace)
	}
	if !api.stop(serverGrace) {
		s.log.Warn("API server did not stop in time", logkey.After, serverGrace)
	}

	return failure
}

// runClients makes the cluster what it must be, and runs all that needs an API that serves.
func (s *Server) runClients(ctx context.Context, served *atomic.Bool) error {
	if err := s.waitAnswers(ctx); err != nil {
		return err
	}
	if err := writeKubeconfig(s.dir.AdminKubeconfig(), s.URL(), s.certs); err != nil {
		return err
	}
	if err := bootstrap.Ensure(ctx, s.LoopbackConfig(), s.log); err != nil {
		return fmt.Errorf("bootstrap cluster: %w", err)
	}
	served.Store(true)
	s.log.InfoContext(ctx, "Serving API", logkey.URL, s.URL())

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.renewCertificates(ctx) })
	for _, f := range s.onServing {
		g.Go(func() error {
			if err := f(ctx); err != nil || ctx.Err() != nil {
				return err
			}
			return errors.New("a part of the server ended without being asked to")
		})
	}

	return g.Wait()
}

// waitAnswers waits until the API answers requests about kinds. Its own start is not over then: roles, for one, are put
// in order a second later. We need none of them, so that work is done beside ours.
func (s *Server) waitAnswers(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(s.LoopbackConfig())
	if err != nil {
		return fmt.Errorf("create loopback client: %w", err)
	}

	return wait.PollUntilContextCancel(ctx, answerPoll, true, func(ctx context.Context) (bool, error) {
		return client.RESTClient().Get().AbsPath("/apis/apiextensions.k8s.io/v1/customresourcedefinitions").Param("limit", "1").Do(ctx).Error() == nil, nil
	})
}

// renewCertificates replaces certificates that near their end. The API server reads its own anew when the file changes.
func (s *Server) renewCertificates(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(renewPeriod):
		}

		err := s.ensureKeys()
		if err == nil {
			err = writeKubeconfig(s.dir.AdminKubeconfig(), s.URL(), s.certs)
		}
		if err != nil {
			s.log.ErrorContext(ctx, "Renewing certificates failed", logkey.Err, err)
		}
	}
}

// task is a function that runs beside the one that started it.
type task struct {
	cancel context.CancelFunc
	done   chan struct{}
	// err may be read once done is closed.
	err error
}

func start(ctx context.Context, f func(context.Context) error) *task {
	ctx, cancel := context.WithCancel(ctx)
	t := &task{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		t.err = f(ctx)
	}()

	return t
}

// stop ends the task, and says whether it ended within the grace.
func (t *task) stop(grace time.Duration) bool {
	t.cancel()
	select {
	case <-t.done:
		return true
	case <-time.After(grace):
		return false
	}
}
