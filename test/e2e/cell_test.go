//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	docker "github.com/docker/docker/client"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billing "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
)

// cell is a lab with a server that governs its first node.
type cell struct {
	lab    *lab.Lab
	server *server
	meter  *meter
	// api is a client of the server, as administrator. It outlives restarts of the server.
	api client.WithWatch
	dir string
}

// startTimeout bounds how long engines and a server may take to start on a machine that does other things as well.
const startTimeout = 4 * time.Minute

// newCell gives a test a cell of its own. The server is started and ready.
func newCell(t *testing.T, o lab.Options, serverArgs ...string) *cell {
	t.Helper()

	c := prepareCell(t, o, serverArgs...)
	if err := c.start(t.Context()); err != nil {
		t.Fatal(err)
	}

	return c
}

// prepareCell gives a test a cell whose server does not run yet.
func prepareCell(t *testing.T, o lab.Options, serverArgs ...string) *cell {
	t.Helper()

	l := lab.Start(t, o)
	c, err := cellIn(l, serverArgs...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.close(t.Failed()); err != nil {
			t.Errorf("close cell: %v", err)
		}
	})

	return c
}

func cellIn(l *lab.Lab, serverArgs ...string) (*cell, error) {
	dir, err := os.MkdirTemp("", "dogker-e2e-cell-")
	if err != nil {
		return nil, err
	}
	m, err := newMeter(meterSocket(dir), l.Nodes[0].Host)
	if err != nil {
		return nil, err
	}
	s, err := newServer(l, filepath.Join(dir, "data"), "unix://"+meterSocket(dir), serverArgs...)
	if err != nil {
		return nil, err
	}

	return &cell{lab: l, server: s, meter: m, dir: dir}, nil
}

// start starts the server and connects to it.
func (c *cell) start(ctx context.Context) error {
	if err := c.server.start(ctx); err != nil {
		return err
	}

	return c.connect()
}

func (c *cell) connect() error {
	cfg, err := c.server.config()
	if err != nil {
		return err
	}
	// Warnings would be printed between the lines of the test.
	cfg.WarningHandler = rest.NoWarnings{}

	scheme := runtime.NewScheme()
	if err := errors.Join(
		clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), billing.AddToScheme(scheme), gitopsv1.AddToScheme(scheme), monitoringv1.AddToScheme(scheme),
	); err != nil {
		return err
	}
	c.api, err = client.NewWithWatch(cfg, client.Options{Scheme: scheme})

	return err
}

// docker is a client of the first node's engine.
func (c *cell) docker() *docker.Client { return c.lab.Nodes[0].Docker }

// close ends the server. Its log is kept when somebody will want to read it. The lab is closed by whoever made it.
func (c *cell) close(failed bool) error {
	var errs []error
	if c.server.running() {
		errs = append(errs, c.server.kill())
	}
	errs = append(errs, c.meter.server.Close())
	if failed {
		kept := filepath.Join(logsDir(), filepath.Base(c.dir)+".log")
		errs = append(errs, os.MkdirAll(logsDir(), 0o700), os.Rename(c.server.logFile(), kept))
		fmt.Fprintf(os.Stderr, "the log of the server is kept in %s\n", kept)
	}

	return errors.Join(append(errs, os.RemoveAll(c.dir))...)
}

// logsDir holds the logs of servers whose tests failed.
func logsDir() string {
	if dir := os.Getenv("DOGKER_E2E_LOGS"); dir != "" {
		return dir
	}

	return filepath.Join(os.TempDir(), "dogker-e2e-logs")
}

// common is the cell that most tests share. It is made when the first of them asks for it.
var common struct {
	once sync.Once
	lab  *lab.Lab
	cell *cell
	err  error
}

// sharedCell returns the common cell.
func sharedCell(t *testing.T) *cell {
	t.Helper()

	common.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()

		if common.lab, common.err = lab.Up(ctx, lab.Options{Versions: []string{"v1", "v2", "v3"}}); common.err != nil {
			return
		}
		if common.cell, common.err = cellIn(common.lab); common.err != nil {
			return
		}
		common.err = common.cell.start(ctx)
	})
	if common.err != nil {
		t.Fatalf("start the common cell: %v", common.err)
	}

	return common.cell
}

func closeCommon(failed bool) error {
	var errs []error
	if common.cell != nil {
		errs = append(errs, common.cell.close(failed))
	}
	if common.lab != nil {
		if failed {
			fmt.Fprintf(os.Stderr, "the logs of the engine are kept in %s\n", common.lab.KeepLogs("common"))
		}
		errs = append(errs, common.lab.Down())
	}

	return errors.Join(errs...)
}
