package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/controllers/gitsync"
	"github.com/dogker/dogker/internal/git/commitstatus"
	"github.com/dogker/dogker/internal/gitops/receiver"
	"github.com/dogker/dogker/internal/throttle"
)

// hookFlags are those about webhooks of Git servers.
type hookFlags struct {
	trustedProxies []string
}

func (f *hookFlags) add(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.trustedProxies, "git-webhook-trusted-proxies", nil, "addresses or ranges of proxies whose X-Forwarded-For is believed when webhooks of Git servers are limited")
}

// receiver makes what receives webhooks. It answers that it cannot yet, until there are caches.
func (f *hookFlags) receiver(log *slog.Logger) (*receiver.Handler, error) {
	proxies, err := throttle.ParseProxies(f.trustedProxies)
	if err != nil {
		return nil, fmt.Errorf("--git-webhook-trusted-proxies: %w", err)
	}

	return receiver.New(receiver.Options{TrustedProxies: proxies, Log: log}, ctrlmetrics.Registry)
}

// hooksSetup is how long it may take to set up what receives webhooks: no request to the API is part of it.
const hooksSetup = 10 * time.Second

// receive lets webhooks in, on this server, whoever leads.
func (g *gitops) receive() error {
	ctx, cancel := context.WithTimeout(context.Background(), hooksSetup)
	defer cancel()

	if err := receiver.Index(ctx, g.m.GetFieldIndexer()); err != nil {
		return err
	}
	// A server that does not lead would begin to read Secrets with the first webhook, and let that wait.
	if _, err := g.m.GetCache().GetInformer(ctx, &corev1.Secret{}, cache.BlockUntilSynced(false)); err != nil {
		return fmt.Errorf("cache Secrets: %w", err)
	}

	hints := receiver.NewHints(receiver.Annotate(g.m.GetClient()), g.log)
	if err := g.m.Add(hints); err != nil {
		return fmt.Errorf("add writer of webhooks' hints: %w", err)
	}

	g.hooks.Open(receiver.NewDirectory(g.m.GetClient()), hints.Tell)

	return nil
}

var _ gitsync.CommitStatuses = (*commitstatus.Sender)(nil)

// eventCommitStatus is the reason of events that say why a Git server was not told.
const eventCommitStatus = "CommitStatusFailed"

// statuses makes what tells Git servers of commits, and adds it.
func (g *gitops) statuses() (*commitstatus.Sender, error) {
	sender, err := commitstatus.New(commitstatus.Options{
		Log: g.log, Registerer: ctrlmetrics.Registry,
		Failed: g.tellFailed,
	})
	if err != nil {
		return nil, err
	}

	if err := g.m.Add(sender); err != nil {
		return nil, fmt.Errorf("add sender of commit statuses: %w", err)
	}

	return sender, nil
}

// tellFailed puts an event where the owner of a sync sees it.
func (g *gitops) tellFailed(key types.NamespacedName, why string) {
	var s gitopsv1.GitSync
	if g.m.GetClient().Get(context.Background(), key, &s) != nil {
		return // It is gone, and so are those who would read it.
	}

	g.recorder.Event(&s, corev1.EventTypeWarning, eventCommitStatus, "The Git server was not told of the commit: "+why)
}
