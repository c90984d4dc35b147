package gather

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/audit"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// declared reads what tenants have declared, and what they may. That it cannot be read is no error: the Input says so.
func (g *gatherer) declared(ctx context.Context) error {
	list, err := g.readDeclared(ctx)
	if err != nil {
		g.in.DeclaredUnseen = err.Error()
	}
	g.in.Declared = list

	return nil
}

func (g *gatherer) readDeclared(ctx context.Context) ([]audit.Declared, error) {
	if g.options.API == nil {
		return nil, errors.New(g.options.APIUnseen)
	}

	ctx, cancel := context.WithTimeout(ctx, 2*callTimeout)
	defer cancel()

	var (
		containers v1alpha1.TenantContainerList
		jobs       v1alpha1.TenantJobList
		revisions  v1alpha1.ContainerRevisionList
		tenants    v1alpha1.TenantList
		plans      v1alpha1.PlanList
		namespaces corev1.NamespaceList
	)
	for _, l := range []struct {
		what string
		list client.ObjectList
	}{
		{"TenantContainers", &containers}, {"TenantJobs", &jobs}, {"ContainerRevisions", &revisions}, {"Tenants", &tenants}, {"Plans", &plans},
		{"Namespaces", &namespaces},
	} {
		if err := g.options.API.List(ctx, l.list); err != nil {
			return nil, fmt.Errorf("list %s of the API: %w", l.what, err)
		}
	}

	known := index{tenants: map[string]*v1alpha1.Tenant{}, plans: map[string]*v1alpha1.Plan{}, revisions: map[ran]*v1alpha1.ContainerRevision{}}
	for i := range tenants.Items {
		known.tenants[tenants.Items[i].Name] = &tenants.Items[i]
	}
	for i := range plans.Items {
		known.plans[plans.Items[i].Name] = &plans.Items[i]
	}
	for i := range revisions.Items {
		r := &revisions.Items[i]
		known.revisions[ran{r.Namespace, string(r.Spec.Container), r.Spec.Revision}] = r
	}

	// Whose a namespace is says its label, and not its name.
	owner := map[string]*v1alpha1.Tenant{}
	for _, n := range namespaces.Items {
		g.in.Namespaces = append(g.in.Namespaces, n.Name)
		owner[n.Name] = known.tenants[n.Labels[v1alpha1.LabelTenant]]
	}

	runs := g.revisionsRunning()
	out := make([]audit.Declared, 0, len(containers.Items)+len(jobs.Items))
	add := func(d audit.Declared) {
		if d.Tenant = owner[d.Container.Namespace]; d.Tenant != nil {
			d.Plan = known.plans[string(d.Tenant.Spec.PlanName)]
		}
		out = append(out, d)
	}
	for i := range containers.Items {
		tc := &containers.Items[i]
		add(audit.Declared{Container: tc, Running: known.revisions[runs[tc.Namespace+"/"+tc.Name]]})
	}
	for i := range jobs.Items {
		// What has run and never will again is only a record.
		if j := &jobs.Items[i]; !jobrun.Over(j) {
			add(audit.Declared{Job: true, Container: &v1alpha1.TenantContainer{ObjectMeta: j.ObjectMeta, Spec: *jobrun.Container(&j.Spec)}})
		}
	}

	return out, nil
}

// index finds objects by what others call them.
type index struct {
	tenants   map[string]*v1alpha1.Tenant
	plans     map[string]*v1alpha1.Plan
	revisions map[ran]*v1alpha1.ContainerRevision
}

// ran is what names a revision.
type ran struct {
	namespace, container string
	number               int64
}

// revisionsRunning are those that services say they run, by namespace and name of the container.
func (g *gatherer) revisionsRunning() map[string]ran {
	runs := map[string]ran{}
	for _, s := range g.all {
		owner, ours := swarmobj.OwnerOf(s.Spec.Labels)
		number, err := strconv.ParseInt(s.Spec.Labels[v1alpha1.SwarmLabelRevision], 10, 64)
		if ours && err == nil {
			runs[owner.Tenant+"/"+owner.Name] = ran{owner.Tenant, owner.Name, number}
		}
	}

	return runs
}
