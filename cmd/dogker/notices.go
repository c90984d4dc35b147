package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/internal/controlplane/bootstrap"
	"github.com/dogker/dogker/internal/mail"
	"github.com/dogker/dogker/internal/outbox"
	"github.com/dogker/dogker/internal/outbox/directory"
	"github.com/dogker/dogker/internal/outbox/trial"
	"github.com/dogker/dogker/internal/webhook"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/logkey"
)

// smtpFlags say how mail is sent.
type smtpFlags struct {
	mail.Config
	security string
}

func (f *smtpFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.Address, "smtp-address", "", "`HOST:PORT` of the mail server that notices go out through; no mail is sent when not set")
	flags.StringVar(&f.Username, "smtp-username", "", "user to log in to it as; nobody logs in when not set")
	flags.StringVar(&f.PasswordFile, "smtp-password-file", "", "file with the password of --smtp-username")
	flags.StringVar(&f.security, "smtp-tls", string(mail.StartTLS), "how the connection is encrypted: starttls, tls from the first byte, or none")
	flags.StringVar(&f.From, "smtp-from", "", "sender of mail, such as \"Dogker <noreply@example.com>\"")
	flags.StringVar(&f.CAFile, "smtp-ca-file", "", "certificates of the authorities that certify the mail server; those of the system when not set")
	flags.StringVar(&f.Unsubscribe, "smtp-unsubscribe", "", "mailto or https `URL` where people ask for no more mail about alerts; it is in the List-Unsubscribe header")
}

// sender makes what sends mail; nil when none is to be sent.
func (f *smtpFlags) sender() (*mail.Sender, error) {
	if f.Address == "" {
		return nil, refuseWithout("--smtp-address", []given{
			{"--smtp-username", f.Username != ""}, {"--smtp-password-file", f.PasswordFile != ""}, {"--smtp-from", f.From != ""},
			{"--smtp-ca-file", f.CAFile != ""}, {"--smtp-unsubscribe", f.Unsubscribe != ""},
		})
	}
	c := f.Config
	c.Security, c.Version = mail.Security(f.security), version

	return mail.New(c)
}

// noticeFlags are those about how people are told.
type noticeFlags struct {
	url, secretFile, locale string
	allowPrivate            bool
	smtp                    smtpFlags
}

func (f *noticeFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.url, "notice-webhook-url", "", "`URL` that notices to tenants about money, such as low balances and payments, are posted to")
	flags.StringVar(&f.secretFile, "notice-webhook-secret-file", "", "file with the secret that those are signed with, and in a second line the one before or after it")
	flags.StringVar(&f.locale, "notice-locale", "en", "language of mail to contacts of tenants who have not chosen one: en or id")
	flags.BoolVar(&f.allowPrivate, "notice-allow-private-addresses", false, "let Receivers of tenants post to addresses that are not public, and by http; for closed networks, and trials on one machine")
	f.smtp.add(flags)
}

// noticeParts are what the flags come to, checked, and what delivers once it is registered.
type noticeParts struct {
	platform     *webhook.Platform
	sender       *mail.Sender
	smtp         smtpFlags
	locale       string
	allowPrivate bool

	queue     *outbox.Queue
	deliverer *outbox.Deliverer
	directory *directory.Directory
	// trial lets operators see whether notices arrive, once there is a queue.
	trial *trial.Handler
	// changed is told of each Receiver that something was delivered to, or could not be; it must not block.
	changed []func(alert.ReceiverRef)
}

func (f *noticeFlags) resolve() (*noticeParts, error) {
	n := &noticeParts{locale: f.locale, allowPrivate: f.allowPrivate, smtp: f.smtp}
	if f.locale != "en" && f.locale != "id" {
		return nil, fmt.Errorf("--notice-locale: %q is not one of: en, id", f.locale)
	}
	if f.url == "" && f.secretFile != "" {
		return nil, errors.New("--notice-webhook-secret-file needs --notice-webhook-url")
	}
	var err error
	if f.url != "" {
		var secrets [][]byte
		if f.secretFile != "" {
			if secrets, err = webhook.ReadSecrets(f.secretFile); err != nil {
				return nil, err
			}
		}
		if n.platform, err = webhook.NewPlatform(webhook.NewClient(version, time.Now), f.url, secrets); err != nil {
			return nil, err
		}
	}
	n.sender, err = f.smtp.sender()

	return n, err
}

// trials makes what lets operators see whether notices arrive.
func (n *noticeParts) trials(log *slog.Logger) *trial.Handler {
	o := trial.Options{Platform: bootstrap.Namespace, Log: log}
	if n.sender != nil {
		o.Server = n.sender
		o.Mail = trial.Mail{Server: n.smtp.Address, Security: n.smtp.security, Login: n.smtp.Username != ""}
	}
	n.trial = trial.New(o)

	return n.trial
}

// register adds what delivers. It comes before everything that has something to say.
func (n *noticeParts) register(m manager.Manager, c *controllers) error {
	var err error
	n.queue, err = outbox.NewQueue(c.server.Etcd(), outbox.QueueOptions{Log: c.log, Registerer: ctrlmetrics.Registry})
	if err != nil {
		return err
	}
	n.trial.Open(n.queue)
	// Whoever is asked where a Receiver leads must not begin to read then.
	for _, kind := range []client.Object{&monitoringv1.Receiver{}, &v1alpha1.Tenant{}, &corev1.Secret{}} {
		if _, err := m.GetCache().GetInformer(context.Background(), kind, cache.BlockUntilSynced(false)); err != nil {
			return fmt.Errorf("cache %T: %w", kind, err)
		}
	}
	n.directory = directory.New(directory.Options{
		Reader: m.GetClient(), Hooks: webhook.NewPublicClient(version, time.Now, n.allowPrivate), Plain: n.allowPrivate,
		Mail: n.sender, Platform: n.platform, Namespace: bootstrap.Namespace, Locale: n.locale,
	})
	n.deliverer = outbox.New(outbox.Options{Queue: n.queue, Directory: n.directory, Changed: func(r alert.ReceiverRef) {
		for _, tell := range n.changed {
			tell(r)
		}
	}})
	if err := m.Add(n.deliverer); err != nil {
		return fmt.Errorf("add delivery of notices: %w", err)
	}
	if n.sender == nil {
		return nil
	}
	if err := m.Add(leading(n.checkMail(c.log))); err != nil {
		return fmt.Errorf("add check of mail: %w", err)
	}

	return nil
}

// checkMail says at once when no mail can be sent: the first notice may be long in coming.
func (n *noticeParts) checkMail(log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := n.sender.Check(ctx); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "The mail server cannot be used; mail waits until it can", logkey.Err, err)
		}
		<-ctx.Done()
		n.sender.Close()

		return nil
	}
}
