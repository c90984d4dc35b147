package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// The arms of somebody who applies the same files. Like GitSyncs, the second lets the server compare.
const (
	applyK          = "kubectl apply -k"
	applyServerSide = "kubectl apply -k --server-side"
)

const (
	allNew       = "all new"
	noChange     = "no change"
	oneChange    = "one object changed"
	idleWrites   = "writes of objects, no change"
	statusWrites = "writes of the GitSync's status, no change"
)

const (
	// perFile is how many objects are in one file; one of them is a container.
	perFile = 10
	// changedObject is the one that is changed.
	changedObject = "changed"
	// syncBound is how long a sync, or what kubectl does, may take.
	syncBound = 10 * time.Minute
	// aftermath is how long is waited for writes that come after a sync was done.
	aftermath = 2 * time.Second
)

var repository = benchmark{
	name:  "gitsync",
	title: "A repository of many objects",
	about: "1,000 objects (200 in profile quick), a tenth of them containers of 0 replicas and the others ConfigMaps, are in a kustomization with ten in a " +
		"file. A GitSync applies them to a tenant, and kubectl, as the administrator, to two others. Without a change: from the request for a visit, by " +
		"the annotation that a webhook sets, until the status says that it was made, by a watch; and how long kubectl takes. With one changed ConfigMap: " +
		"from the beginning of `git push`, after which a visit is requested, until the status says that the commit is applied; kubectl needs no push, and " +
		"its clock begins after the file was changed. Fetching, building, comparing and applying are in it, in all arms by processes that are started for " +
		"it. Writes are those that the API server counts until two seconds later, without the request itself, and without leases, which are renewed all " +
		"the time.",
	goals: []measure.Goal{
		{Figure: noChange, AtMost: 1},
		{Figure: idleWrites, AtMost: 0},
		{Figure: oneChange, AtMost: 2},
	},
	run: func(ctx context.Context, s *session) error {
		d, err := s.delivery(ctx)
		if err != nil {
			return err
		}
		defer d.watch.Stop()

		return s.take(ctx, s.rounds, arm{applyK, d.apply(byClient)}, arm{applyServerSide, d.apply(byServer)}, arm{measure.Ours, d.sync})
	},
}

// delivery is a repository that is applied to a tenant, and files that are applied to others.
type delivery struct {
	*session

	server     *rig.Server
	repository *rig.Repository
	syncing    *gitopsv1.GitSync
	watch      *rig.Syncs
	// made counts the changes and requests.
	made int
}

// syncedTenant is the GitSync's.
const syncedTenant = "synced"

// applier is kubectl with flags, and a tenant whose objects it alone writes.
type applier struct {
	tenant string
	flags  []string
}

var (
	byClient = applier{"by-client", nil}
	byServer = applier{"by-server", []string{"--server-side"}}
)

// delivery sets one up, and lets each arm apply everything once.
func (s *session) delivery(ctx context.Context) (*delivery, error) {
	d := &delivery{session: s}
	git, err := rig.StartGit(filepath.Join(s.dir, "git"))
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, git.Close)
	engine, err := s.engine(ctx)
	if err != nil {
		return nil, err
	}
	if d.server, err = s.server(ctx, engine.Host, rig.GitFlag); err != nil {
		return nil, err
	}
	if err := tenantsOf(ctx, d.server, syncedTenant, byClient.tenant, byServer.tenant); err != nil {
		return nil, err
	}
	if d.repository, err = git.Create(ctx, "shop"); err != nil {
		return nil, err
	}
	if d.watch, err = d.server.WatchSyncs(ctx); err != nil {
		return nil, err
	}

	return d, d.first(ctx)
}

// tenantsOf makes tenants who may have as much as they like.
func tenantsOf(ctx context.Context, server *rig.Server, names ...string) error {
	free := &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: planName}, Spec: v1alpha1.PlanSpec{SecurityProfile: v1alpha1.ProfilePrivileged}}
	if err := server.Client.Create(ctx, free); err != nil {
		return fmt.Errorf("create plan: %w", err)
	}

	var tenants []*v1alpha1.Tenant
	for _, name := range names {
		tenants = append(tenants, &v1alpha1.Tenant{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       v1alpha1.TenantSpec{PlanName: planName, DeletionPolicy: v1alpha1.DeletionDelete},
		})
	}

	return server.CreateTenants(ctx, tenants)
}

// first makes everything, and lets each arm apply it once.
func (d *delivery) first(ctx context.Context) error {
	for _, dir := range []string{d.files(byClient), d.files(byServer), d.repository.Dir} {
		if err := writeFiles(dir, d.declared); err != nil {
			return err
		}
		if err := writeChanged(dir, d.made); err != nil {
			return err
		}
	}
	if _, err := d.repository.Commit(ctx); err != nil {
		return err
	}
	if err := d.repository.Push(ctx); err != nil {
		return err
	}

	with := func(name string, a applier) arm {
		return arm{name, func(ctx context.Context, _ adder) error {
			took, err := d.kubectl(ctx, a)
			d.report.Add(name, allNew, measure.Seconds, took.Seconds())

			return err
		}}
	}

	return d.take(ctx, 0, with(applyK, byClient), with(applyServerSide, byServer), arm{measure.Ours, func(ctx context.Context, _ adder) error {
		ctx, cancel := context.WithTimeout(ctx, syncBound)
		defer cancel()

		began := time.Now()
		d.syncing = rig.Sync(syncedTenant, "shop", d.repository.URL)
		if err := d.server.Client.Create(ctx, d.syncing); err != nil {
			return fmt.Errorf("create GitSync: %w", err)
		}
		at, err := d.watch.Await(ctx, 1, rig.Synced)
		d.report.Add(measure.Ours, allNew, measure.Seconds, at.Sub(began).Seconds())

		return err
	}})
}

// apply applies the files twice, with a change before the second time.
func (d *delivery) apply(a applier) func(context.Context, adder) error {
	return func(ctx context.Context, add adder) error {
		took, err := d.kubectl(ctx, a)
		if err != nil {
			return err
		}
		add(noChange, measure.Seconds, took.Seconds())

		d.made++
		if err := writeChanged(d.files(a), d.made); err != nil {
			return err
		}
		if took, err = d.kubectl(ctx, a); err != nil {
			return err
		}
		add(oneChange, measure.Seconds, took.Seconds())

		return d.check(ctx, a.tenant)
	}
}

// files are where those are that kubectl applies.
func (d *delivery) files(a applier) string { return filepath.Join(d.dir, "files", a.tenant) }

// kubectl applies the files.
func (d *delivery) kubectl(ctx context.Context, a applier) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, syncBound)
	defer cancel()

	began := time.Now()
	err := d.server.Kubectl(ctx, append([]string{"apply", "--namespace", a.tenant, "--kustomize", d.files(a)}, a.flags...)...)

	return time.Since(began), err
}

// sync lets the GitSync look twice, with a push before the second time.
func (d *delivery) sync(ctx context.Context, add adder) error {
	ctx, cancel := context.WithTimeout(ctx, syncBound)
	defer cancel()

	if err := d.unchanged(ctx, add); err != nil {
		return err
	}

	d.made++
	if err := writeChanged(d.repository.Dir, d.made); err != nil {
		return err
	}
	commit, err := d.repository.Commit(ctx)
	if err != nil {
		return err
	}

	began, request := time.Now(), strconv.Itoa(d.made)
	if err := d.repository.Push(ctx); err != nil {
		return err
	}
	if err := d.server.Request(ctx, request, d.syncing); err != nil {
		return err
	}
	at, err := d.watch.Await(ctx, 1, rig.Applied(request, commit))
	if err != nil {
		return err
	}
	add(oneChange, measure.Seconds, at.Sub(began).Seconds())

	return d.check(ctx, syncedTenant)
}

// unchanged lets the GitSync look at a repository in which nothing has changed, and counts what is written meanwhile.
func (d *delivery) unchanged(ctx context.Context, add adder) error {
	before, err := d.server.Writes(ctx)
	if err != nil {
		return err
	}

	d.made++
	began, request := time.Now(), strconv.Itoa(d.made)
	if err := d.server.Request(ctx, request, d.syncing); err != nil {
		return err
	}
	at, err := d.watch.Await(ctx, 1, rig.Handled(request))
	if err != nil {
		return err
	}
	add(noChange, measure.Seconds, at.Sub(began).Seconds())

	if err := sleep(ctx, aftermath); err != nil {
		return err
	}
	after, err := d.server.Writes(ctx)
	if err != nil {
		return err
	}
	ofSyncs, ofOthers := after.Since(before, "gitsyncs")
	add(idleWrites, measure.Count, ofOthers)
	// One is the request.
	add(statusWrites, measure.Count, ofSyncs-1)

	return nil
}

// check makes sure that the last change has arrived.
func (d *delivery) check(ctx context.Context, namespace string) error {
	var found corev1.ConfigMap
	if err := d.server.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: changedObject}, &found); err != nil {
		return err
	}
	if got, want := found.Data["change"], strconv.Itoa(d.made); got != want {
		return fmt.Errorf("ConfigMap %q of %q has change %q, and should have %q", changedObject, namespace, got, want)
	}

	return nil
}

// writeFiles writes all objects but the one that changes, some to a file, and the kustomization of all.
func writeFiles(dir string, n int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}

	kustomization := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- " + changedObject + ".yaml\n"
	for first := 1; first < n; first += perFile {
		var text strings.Builder
		text.WriteString(containerFile(fmt.Sprintf("web-%03d", first)))
		for i := first + 1; i < min(first+perFile, n); i++ {
			text.WriteString(configMapFile(fmt.Sprintf("settings-%03d", i), i))
		}
		name := fmt.Sprintf("objects-%03d.yaml", first)
		kustomization += "- " + name + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text.String()), 0o644); err != nil {
			return err
		}
	}

	return os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(kustomization), 0o644)
}

// writeChanged writes the object that changes.
func writeChanged(dir string, change int) error {
	return os.WriteFile(filepath.Join(dir, changedObject+".yaml"), []byte(configMapFile(changedObject, change)), 0o644)
}

func configMapFile(name string, change int) string {
	return fmt.Sprintf("---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata:\n  log.level: info\n  change: %q\n", name, strconv.Itoa(change))
}

func containerFile(name string) string {
	return fmt.Sprintf("---\napiVersion: %s\nkind: TenantContainer\nmetadata:\n  name: %s\nspec:\n  image: %s\n  imagePullPolicy: Never\n  replicas: 0\n",
		v1alpha1.GroupVersion, name, lab.Image("v1"))
}
