package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	dswarm "github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/converge"
)

const namespace = "acme"

// scenarios are what users do, step by step, and what each step must lead to.
var scenarios = []converge.Scenario{
	{Name: "create", Steps: []converge.Step{
		{Name: "create", Do: create("web", imageV1), Until: runs("web", imageV1, 1)},
	}},
	{Name: "create-with-content", Steps: []converge.Step{
		{Name: "create", Do: createWithContent, Until: runs("web", imageV1, 1)},
		{Name: "change-secret", Do: changeSecret("new"), Until: all(runs("web", imageV1, 1), revision("web", 2))},
	}},
	{Name: "another-digest-key", Steps: []converge.Step{
		{Name: "create", Do: createWithContent, Until: runs("web", imageV1, 1)},
		{Name: "restart", Do: loseDigestKey, Until: all(runs("web", imageV1, 1), revision("web", 2))},
	}},
	{Name: "scale", Steps: []converge.Step{
		{Name: "create", Do: create("web", imageV1), Until: runs("web", imageV1, 1)},
		{Name: "up", Do: edit("web", func(c *v1alpha1.TenantContainer) { c.Spec.Replicas = ptr(int32(3)) }), Until: runs("web", imageV1, 3)},
		{Name: "down", Do: edit("web", func(c *v1alpha1.TenantContainer) { c.Spec.Replicas = ptr(int32(1)) }), Until: runs("web", imageV1, 1)},
	}},
	{Name: "good-image", Steps: []converge.Step{
		{Name: "create", Do: create("web", imageV1), Until: runs("web", imageV1, 1)},
		{Name: "update", Do: setImage("web", imageV2), Until: runs("web", imageV2, 1)},
	}},
	{Name: "bad-image", Steps: []converge.Step{
		{Name: "create", Do: create("web", imageV1), Until: runs("web", imageV1, 1)},
		{Name: "update", Do: setImage("web", imageCrash), Until: rolledBack("web", imageV1)},
	}},
	{Name: "recreate", Steps: []converge.Step{
		{Name: "create", Do: create("web", imageV1), Until: runs("web", imageV1, 1)},
		{Name: "global", Do: edit("web", func(c *v1alpha1.TenantContainer) {
			c.Spec.Mode, c.Spec.Replicas = v1alpha1.ModeGlobal, nil
		}), Until: all(runs("web", imageV1, 1), global("web"))},
	}},
	{Name: "suspend", Steps: []converge.Step{
		{Name: "create", Do: create("web", imageV1), Until: runs("web", imageV1, 1)},
		{Name: "suspend", Do: annotate("web", v1alpha1.AnnotationSuspend, "Maintenance"), Until: suspended("web")},
		{Name: "resume", Do: annotate("web", v1alpha1.AnnotationSuspend, ""), Until: runs("web", imageV1, 1)},
	}},
	{Name: "adopt", Steps: []converge.Step{
		{Name: "stack", Do: deployStack, Until: containersRun("web", imageV1, 2)},
		{Name: "tenant", Do: both(createPlan, createTenantOnStack("acme")), Until: provisioned("acme")},
		{Name: "adopt", Do: adopt("web", imageV1, 2), Until: all(runs("web", imageV1, 2), adopted("web"), sameTasks("web"))},
		{Name: "scale", Do: edit("web", func(c *v1alpha1.TenantContainer) { c.Spec.Replicas = ptr(int32(3)) }), Until: all(runs("web", imageV1, 3), adopted("web"), sameTasks("web"))},
		{Name: "update", Do: setImage("web", imageV2), Until: all(runs("web", imageV2, 3), revision("web", 2))},
	}},
	{Name: "adopt-and-drift", Steps: []converge.Step{
		{Name: "stack", Do: deployStack, Until: containersRun("web", imageV1, 2)},
		{Name: "tenant", Do: both(createPlan, createTenantOnStack("acme")), Until: provisioned("acme")},
		{Name: "adopt", Do: adopt("web", imageV1, 2), Until: all(runs("web", imageV1, 2), adopted("web"), sameTasks("web"))},
		{Name: "changed", Do: tamper("web", func(s *dswarm.ServiceSpec) {
			s.TaskTemplate.ContainerSpec.Image = imageV2
		}), Until: all(runs("web", imageV1, 2), runsNothingElse("web"))},
		{Name: "delete", Do: remove("web"), Until: gone("web")},
	}},
	{Name: "delete", Steps: []converge.Step{
		{Name: "create", Do: createWithContent, Until: runs("web", imageV1, 1)},
		{Name: "delete", Do: remove("web"), Until: nothingLeft},
	}},
	{Name: "empty-namespace", Steps: []converge.Step{
		{Name: "create", Do: func(r *converge.Run) {
			create("web", imageV1)(r)
			create("db", imageV2)(r)
		}, Until: all(runs("web", imageV1, 1), runs("db", imageV2, 1))},
		{Name: "delete", Do: func(r *converge.Run) {
			remove("web")(r)
			remove("db")(r)
		}, Until: nothingLeft},
	}},
	{Name: "drift", Steps: []converge.Step{
		{Name: "create", Do: create("web", imageV1), Until: runs("web", imageV1, 1)},
		{Name: "scaled", Do: tamper("web", func(s *dswarm.ServiceSpec) { *s.Mode.Replicated.Replicas = 4 }), Until: runs("web", imageV1, 1)},
		{Name: "changed", Do: tamper("web", func(s *dswarm.ServiceSpec) {
			s.TaskTemplate.ContainerSpec.Image = imageV2
		}), Until: all(runs("web", imageV1, 1), runsNothingElse("web"))},
		{Name: "removed", Do: removeService("web"), Until: runs("web", imageV1, 1)},
	}},
	{Name: "tenant", Steps: []converge.Step{
		{Name: "create", Do: both(createPlan, createTenant("acme"), create("web", imageV1)), Until: all(provisioned("acme"), runs("web", imageV1, 1))},
		{Name: "suspend", Do: editTenant("acme", suspendTenant), Until: all(suspended("web"), provisioned("acme"))},
		{Name: "resume", Do: editTenant("acme", resumeTenant), Until: runs("web", imageV1, 1)},
		{Name: "take-out", Do: editTenant("acme", takeOut), Until: all(noBinding("acme"), provisioned("acme"))},
	}},
	{Name: "off-managers", Steps: []converge.Step{
		{Name: "tenant", Do: both(createBaselinePlan, createTenant("acme")), Until: provisioned("acme")},
		{Name: "create", Do: createBounded("web", imageV1), Until: all(runs("web", imageV1, 1), on("web", manager))},
		{Name: "workers-join", Do: addWorkers, Until: all(runs("web", imageV1, 1), on("web", manager))},
		{Name: "update", Do: setImage("web", imageV2), Until: all(runs("web", imageV2, 1), on("web", workers...))},
		{Name: "workers-drained", Do: editNodes(drain, workers...), Until: waits("web")},
		{Name: "workers-back", Do: editNodes(activate, workers...), Until: all(runs("web", imageV2, 1), on("web", workers...))},
	}},
	{Name: "two-tenants", Steps: []converge.Step{
		{Name: "create", Do: both(createPlan, createTenant("acme"), createTenant("globex")), Until: all(provisioned("acme"), provisioned("globex"))},
		{Name: "tear-down", Do: both(removeNetwork("acme"), removeBinding("globex")), Until: all(provisioned("acme"), provisioned("globex"))},
	}},
	{Name: "delete-tenant", Steps: []converge.Step{
		{Name: "create", Do: both(createPlan, createTenant("acme"), create("web", imageV1)), Until: all(provisioned("acme"), runs("web", imageV1, 1))},
		{Name: "delete", Do: removeTenant("acme"), Until: all(nothingLeft, noTenant("acme"))},
	}},
}

func ptr[T any](v T) *T { return &v }

func container(name string) *v1alpha1.TenantContainer {
	return &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

// create makes a container as the API server would let it in: with its finalizer and its defaults.
func create(name, image string) func(*converge.Run) {
	return func(r *converge.Run) {
		c := container(name)
		c.Finalizers = []string{v1alpha1.Finalizer}
		c.Spec = v1alpha1.TenantContainerSpec{
			Image: v1alpha1.Image(image), ImagePullPolicy: v1alpha1.PullIfNotPresent,
			Mode: v1alpha1.ModeReplicated, Replicas: ptr(int32(1)),
		}
		r.Store.Create(c)
	}
}

func createWithContent(r *converge.Run) {
	r.Store.Create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "keys"},
		Data:       map[string][]byte{"password": []byte("old"), "cert": []byte("old")},
	})
	r.Store.Create(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "settings"},
		Data:       map[string]string{"app.conf": "a=b", "LEVEL": "info"},
	})

	c := container("web")
	c.Finalizers = []string{v1alpha1.Finalizer}
	c.Spec = v1alpha1.TenantContainerSpec{
		Image: imageV1, ImagePullPolicy: v1alpha1.PullIfNotPresent, Mode: v1alpha1.ModeReplicated, Replicas: ptr(int32(1)),
		Env: []v1alpha1.EnvVar{{Name: "PASSWORD", ValueFrom: &v1alpha1.EnvVarSource{
			SecretKeyRef: &v1alpha1.KeySelector{Name: "keys", Key: "password"},
		}}, {Name: "LEVEL", ValueFrom: &v1alpha1.EnvVarSource{
			ConfigMapKeyRef: &v1alpha1.KeySelector{Name: "settings", Key: "LEVEL"},
		}}},
		Files: []v1alpha1.File{
			{Path: "/etc/app/cert", SecretKeyRef: &v1alpha1.KeySelector{Name: "keys", Key: "cert"}},
			{Path: "/etc/app/app.conf", ConfigMapKeyRef: &v1alpha1.KeySelector{Name: "settings", Key: "app.conf"}},
		},
	}
	r.Store.Create(c)
}

func changeSecret(value string) func(*converge.Run) {
	return func(r *converge.Run) {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "keys"}}
		r.Store.Edit(s, func() { s.Data = map[string][]byte{"password": []byte(value), "cert": []byte(value)} })
	}
}

// loseDigestKey starts the server again, on a data directory in which it finds another key of digests.
func loseDigestKey(r *converge.Run) {
	w := r.World.(*world)
	w.mu.Lock()
	w.key++
	w.mu.Unlock()
	r.Restart()
}

func edit(name string, change func(*v1alpha1.TenantContainer)) func(*converge.Run) {
	return func(r *converge.Run) {
		c := container(name)
		r.Store.Edit(c, func() { change(c) })
	}
}

func setImage(name, image string) func(*converge.Run) {
	return edit(name, func(c *v1alpha1.TenantContainer) { c.Spec.Image = v1alpha1.Image(image) })
}

func annotate(name, key, value string) func(*converge.Run) {
	return edit(name, func(c *v1alpha1.TenantContainer) {
		if value == "" {
			delete(c.Annotations, key)
		} else {
			metav1.SetMetaDataAnnotation(&c.ObjectMeta, key, value)
		}
	})
}

func remove(name string) func(*converge.Run) {
	return func(r *converge.Run) { r.Store.Delete(container(name)) }
}

// tamper changes a service behind our back.
func tamper(name string, change func(*dswarm.ServiceSpec)) func(*converge.Run) {
	return func(r *converge.Run) {
		admin, ctx := r.World.(*world).admin, context.Background()

		s, _, err := admin.ServiceInspectWithRaw(ctx, namespace+"_"+name, dswarm.ServiceInspectOptions{})
		must(err)
		change(&s.Spec)

		_, err = admin.ServiceUpdate(ctx, s.ID, s.Version, s.Spec, dswarm.ServiceUpdateOptions{})
		must(err)
	}
}

func removeService(name string) func(*converge.Run) {
	return func(r *converge.Run) {
		must(r.World.(*world).admin.ServiceRemove(context.Background(), namespace+"_"+name))
	}
}

type until = func(*converge.Run) error

func all(checks ...until) until {
	return func(r *converge.Run) error {
		for _, check := range checks {
			if err := check(r); err != nil {
				return err
			}
		}

		return nil
	}
}

// runs is true when so many containers of the image run, all of them of that service, and the API says so.
func runs(name, image string, want int) until {
	return func(r *converge.Run) error {
		c := container(name)
		if !r.Store.Get(namespace, name, c) {
			return errors.New("the object is gone")
		}

		if !conditions.IsTrue(c, conditions.Ready) || c.Status.ObservedGeneration != c.Generation {
			return fmt.Errorf("not ready: generation %d observed %d: %+v", c.Generation, c.Status.ObservedGeneration, c.Status.Conditions)
		}

		return containersAre(r, name, image, want)
	}
}

func containersAre(r *converge.Run, name, image string, want int) error {
	var images []string

	for _, running := range r.World.(*world).cluster.Containers() {
		if running.Service == namespace+"_"+name {
			images = append(images, running.Image)
		}
	}

	if len(images) != want || slices.ContainsFunc(images, func(i string) bool { return !strings.HasPrefix(i, image+"@") }) {
		return fmt.Errorf("containers %q run, want %d of %s", images, want, image)
	}

	return nil
}

// runsNothingElse is true when the rollout has ended and nothing of another template is left.
func runsNothingElse(name string) until {
	return func(r *converge.Run) error {
		s, err := service(r, name)
		if err != nil {
			return err
		}

		if s.UpdateStatus != nil && s.UpdateStatus.State == dswarm.UpdateStateUpdating {
			return errors.New("a rollout is going on")
		}

		return nil
	}
}

func service(r *converge.Run, name string) (dswarm.Service, error) {
	s, _, err := r.World.(*world).admin.ServiceInspectWithRaw(context.Background(), namespace+"_"+name, dswarm.ServiceInspectOptions{})

	return s, err
}

func revision(name string, number int64) until {
	return func(r *converge.Run) error {
		c := container(name)
		if !r.Store.Get(namespace, name, c) || c.Status.Revision != number {
			return fmt.Errorf("revision %d, want %d", c.Status.Revision, number)
		}

		return nil
	}
}

func global(name string) until {
	return func(r *converge.Run) error {
		s, err := service(r, name)
		if err != nil {
			return err
		}

		if s.Spec.Mode.Global == nil {
			return errors.New("the service is not global")
		}

		return nil
	}
}

// rolledBack is true when the last good image runs and the API says why.
func rolledBack(name, image string) until {
	return func(r *converge.Run) error {
		c := container(name)
		if !r.Store.Get(namespace, name, c) || !conditions.IsTrue(c, v1alpha1.ConditionRolledBack) || c.Status.FailedRevision == nil {
			return fmt.Errorf("not rolled back: %+v", c.Status.Conditions)
		}

		if s, err := service(r, name); err != nil || s.UpdateStatus != nil && s.UpdateStatus.State == dswarm.UpdateStateRollbackStarted {
			return fmt.Errorf("the rollback is going on: %w", err)
		}

		return containersAre(r, name, image, 1)
	}
}

func suspended(name string) until {
	return func(r *converge.Run) error {
		c := container(name)
		if !r.Store.Get(namespace, name, c) || !conditions.IsTrue(c, v1alpha1.ConditionSuspended) {
			return fmt.Errorf("not suspended: %+v", c.Status.Conditions)
		}

		return containersAre(r, name, "", 0)
	}
}

// nothingLeft is true when neither the API nor the swarm holds anything of ours.
func nothingLeft(r *converge.Run) error {
	var list v1alpha1.TenantContainerList

	r.Store.List(&list)

	if len(list.Items) > 0 {
		return fmt.Errorf("%d containers are left: %+v", len(list.Items), list.Items[0].Status.Conditions)
	}

	for _, line := range r.World.State() {
		// What is in the books stays there.
		if strings.Contains(line, namespace) && !strings.HasPrefix(line, "ledger ") {
			return fmt.Errorf("left in the swarm: %s", line)
		}
	}

	return nil
}
