package rig

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
)

// etcdVariable makes a process of the benchmark an etcd: it holds the data directory.
const etcdVariable = "DOGKER_BENCH_ETCD"

// connections of the raw clients: as with an API server, many callers share a few of them.
const connections = 8

// Etcd is an etcd of one member in a process of its own, with etcd's own settings: every transaction is on disk before it
// is answered.
type Etcd struct {
	*helper

	clients []*clientv3.Client
}

// EtcdMain runs the etcd and never returns if this process was started to be one. It must come first in main.
func EtcdMain() { help("etcd", etcdVariable, serveEtcd) }

// serveEtcd runs until the benchmark ends.
func serveEtcd(dir string) error {
	peer, client := url.URL{Scheme: "http", Host: "127.0.0.1:0"}, url.URL{Scheme: "http", Host: "127.0.0.1:0"}

	cfg := embed.NewConfig()
	cfg.Dir = dir
	// It would complain about every connection that ends with it.
	cfg.LogOutputs = []string{os.DevNull}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)

	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return err
	}
	<-e.Server.ReadyNotify()
	announce(e.Clients[0].Addr().String())
	e.Close()

	return nil
}

// StartEtcd starts an etcd on a directory. The caller must call Stop.
func StartEtcd(dir string) (*Etcd, error) {
	h, err := startHelper(etcdVariable, dir)
	if err != nil {
		return nil, fmt.Errorf("start etcd: %w", err)
	}

	e := &Etcd{helper: h}
	for range connections {
		c, err := clientv3.New(clientv3.Config{Endpoints: []string{h.address}})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connect to etcd: %w", err), e.Stop())
		}
		e.clients = append(e.clients, c)
	}

	return e, nil
}

// Process is the etcd.
func (e *Etcd) Process() Process { return e.process() }

// Endpoint is where clients find the etcd.
func (e *Etcd) Endpoint() string { return "http://" + e.address }

// Stop ends the etcd.
func (e *Etcd) Stop() error {
	for _, c := range e.clients {
		_ = c.Close()
	}

	return e.stop()
}

// Create writes a key that must not exist yet, in the transaction by which an API server creates an object. The caller's
// number chooses the connection.
func (e *Etcd) Create(ctx context.Context, caller int, key string, value []byte) error {
	_, err := e.put(ctx, caller, key, value, 0)

	return err
}

// Update replaces a key that must be at the revision, as an API server does after it has found it in its cache, and
// returns the new revision.
func (e *Etcd) Update(ctx context.Context, caller int, key string, value []byte, revision int64) (int64, error) {
	return e.put(ctx, caller, key, value, revision)
}

func (e *Etcd) put(ctx context.Context, caller int, key string, value []byte, revision int64) (int64, error) {
	resp, err := e.clients[caller%len(e.clients)].Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(key), "=", revision)).
		Then(clientv3.OpPut(key, string(value))).
		Else(clientv3.OpGet(key)).
		Commit()
	if err != nil {
		return 0, fmt.Errorf("put %q: %w", key, err)
	}
	if !resp.Succeeded {
		return 0, fmt.Errorf("put %q: it is not at revision %d", key, revision)
	}

	return resp.Header.Revision, nil
}

// Revisions are the keys below the prefix, each with the revision of its last change.
func (e *Etcd) Revisions(ctx context.Context, prefix string) (map[string]int64, error) {
	resp, err := e.clients[0].Get(ctx, prefix, clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return nil, fmt.Errorf("list %q: %w", prefix, err)
	}

	out := map[string]int64{}
	for _, kv := range resp.Kvs {
		out[string(kv.Key)] = kv.ModRevision
	}

	return out, nil
}

// Clear deletes all keys below the prefix.
func (e *Etcd) Clear(ctx context.Context, prefix string) error {
	_, err := e.clients[0].Delete(ctx, prefix, clientv3.WithPrefix())

	return err
}
