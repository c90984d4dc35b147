//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/dogker/dogker/internal/lab"
)

// etcdProcess is an etcd in a process of its own, which can be killed. The process is the test's own program, started
// once more.
type etcdProcess struct {
	lab          *lab.Lab
	dir          string
	client, peer string

	process *exec.Cmd
}

// Environment by which the test's program knows that it is to be an etcd.
const (
	etcdDirEnv    = "DOGKER_E2E_ETCD_DIR"
	etcdClientEnv = "DOGKER_E2E_ETCD_CLIENT"
	etcdPeerEnv   = "DOGKER_E2E_ETCD_PEER"
)

// killableEtcd starts an etcd that belongs to the lab.
func killableEtcd(t *testing.T, l *lab.Lab) *etcdProcess {
	t.Helper()

	e := &etcdProcess{lab: l, dir: t.TempDir()}
	for _, address := range []*string{&e.client, &e.peer} {
		free, err := freeAddress()
		if err != nil {
			t.Fatal(err)
		}
		*address = "http://" + free
	}
	if err := e.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.kill(); err != nil {
			t.Error(err)
		}
	})

	return e
}

// start starts it, on what it held before, and waits until it answers.
func (e *etcdProcess) start(ctx context.Context) error {
	e.process = exec.Command(os.Args[0])
	e.process.Env = append(os.Environ(), etcdDirEnv+"="+e.dir, etcdClientEnv+"="+e.client, etcdPeerEnv+"="+e.peer)
	e.process.Stderr = os.Stderr
	if err := e.process.Start(); err != nil {
		return fmt.Errorf("start etcd: %w", err)
	}
	if err := e.lab.Adopt(e.process.Process); err != nil {
		return err
	}
	client, err := e.connect()
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = poll(soon, func() error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := client.Get(ctx, "health")

		return err
	})

	return err
}

// kill ends it as the kernel's OOM killer would.
func (e *etcdProcess) kill() error {
	if err := e.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_ = e.process.Wait()

	return nil
}

// connect makes a client of it.
func (e *etcdProcess) connect() (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{Endpoints: []string{e.client}, DialTimeout: instant, Logger: zap.NewNop()})
}

// beEtcd makes this process an etcd, if it is to be one, until it is killed.
func beEtcd() error {
	dir := os.Getenv(etcdDirEnv)
	if dir == "" {
		return nil
	}

	client, err1 := url.Parse(os.Getenv(etcdClientEnv))
	peer, err2 := url.Parse(os.Getenv(etcdPeerEnv))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	cfg := embed.NewConfig()
	cfg.Dir = filepath.Join(dir, "etcd")
	cfg.LogLevel, cfg.LogOutputs = "error", []string{filepath.Join(dir, "etcd.log")}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	etcd, err := embed.StartEtcd(cfg)
	if err != nil {
		return err
	}

	return <-etcd.Err()
}
