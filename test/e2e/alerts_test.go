//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	post "github.com/dogker/dogker/internal/fake/mailbox"
	"github.com/dogker/dogker/internal/lab"
)

// mended is how long a container has to run again in these tests until what was wrong is over: five minutes by default.
const mended = 20 * time.Second

// listener is a tenant whose contact has a mailbox.
type listener struct {
	*tenant

	address string
	mails   *post.Mailbox
}

// listens declares a tenant with a contact and two containers, and shortens the times of the Alert that it has.
func (c *cell) listens(t *testing.T, name string, mails *post.Mailbox) *listener {
	t.Helper()

	n, _ := c.declared(t, name)
	l := &listener{tenant: n, address: name + "@example.com", mails: mails}
	n.patch(&v1alpha1.Tenant{}, "", name, fmt.Sprintf(`{"spec":{"contacts":[{"email":%q,"purposes":["technical"]}]}}`, l.address))
	await(t, soon, "the tenant has its Alert", func() error {
		return c.api.Get(t.Context(), client.ObjectKey{Namespace: name, Name: monitoringv1.ContainersAlert}, &monitoringv1.Alert{})
	})
	n.patch(&monitoringv1.Alert{}, name, monitoringv1.ContainersAlert, fmt.Sprintf(`{"spec":{"keepFiringFor":%q,"groupInterval":"5s"}}`, mended))
	n.run(app("web", "v1"))

	return l
}

func (n *tenant) patch(o client.Object, namespace, name, patch string) {
	n.t.Helper()

	o.SetNamespace(namespace)
	o.SetName(name)
	if err := n.api.Patch(n.t.Context(), o, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		n.t.Fatal(err)
	}
}

// kill kills the process of a container, as the kernel would, and waits until another one runs.
func (l *listener) kill() {
	l.t.Helper()

	was := l.process("web")
	if err := syscall.Kill(was, syscall.SIGKILL); err != nil {
		l.t.Fatal(err)
	}
	await(l.t, soon, "another task runs", func() error {
		tasks, err := l.tasks("web")
		if err != nil {
			return err
		}
		for _, task := range tasks {
			if s := task.Status; s.State == "running" && s.ContainerStatus != nil && s.ContainerStatus.PID != was {
				return nil
			}
		}

		return errors.New("no other task runs")
	})
}

// over is nil once nothing is wrong, and nothing is left to tell.
func (l *listener) over() error {
	var a monitoringv1.Alert
	if err := l.api.Get(l.t.Context(), client.ObjectKey{Namespace: l.name, Name: monitoringv1.ContainersAlert}, &a); err != nil {
		return err
	}

	return wantf(len(a.Status.Series), 0, "series of which something is left to say (%+v)", a.Status.Series)
}

// got is an error unless as many mails have come as are wanted, at least and at most.
func (l *listener) got(least, most int) error {
	all := l.mails.To(l.address)
	if len(all) >= least && len(all) <= most {
		return nil
	}

	subjects := make([]string, len(all))
	for i, m := range all {
		subjects[i] = m.Subject
	}

	return fmt.Errorf("%s has %d mails, wants %d to %d: %s", l.address, len(all), least, most, strings.Join(subjects, "; "))
}

// TestMailAboutContainers: a container that is killed is one mail, one that its owner stops is none, and one that goes up and down
// ten times is two at most. Nobody has declared anything but a tenant with a contact.
func TestMailAboutContainers(t *testing.T) {
	t.Parallel()

	mails, err := post.Listen("127.0.0.1:0", post.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mails.Stop() })

	c := newCell(t, lab.Options{}, "--smtp-address", mails.Addr(), "--smtp-tls", "none", "--smtp-from", "dogker@example.com")
	killed, stopped, restless := c.listens(t, "killed", mails), c.listens(t, "stopped", mails), c.listens(t, "restless", mails)
	stopped.run(app("held", "v1"))

	killed.kill()
	stopped.edit("web", replicas(0))
	stopped.edit("held", annotation(v1alpha1.AnnotationSuspend, "lunch"))
	for range 10 {
		restless.kill()
	}

	const told = 2 * time.Minute
	await(t, told, "the mail about the container that was killed", func() error { return killed.got(1, 1) })
	await(t, told, "what is told of the one that is restless", func() error { return restless.got(1, 2) })
	await(t, told, "nothing is left to say", func() error { return errors.Join(killed.over(), restless.over(), stopped.over()) })

	mail := killed.mails.To(killed.address)[0]
	if !strings.Contains(mail.Subject+mail.Text, "web") {
		t.Errorf("the mail does not name the container: %s\n%s", mail.Subject, mail.Text)
	}

	// What was put into the outbox last may still be on its way.
	time.Sleep(3 * time.Second)

	if err := errors.Join(killed.got(1, 1), stopped.got(0, 0), restless.got(1, 2)); err != nil {
		t.Error(err)
	}
}
