package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// byHand is the arm of somebody who makes everything that a tenant has by himself.
const byHand = "same objects by hand"

const (
	planName = "bench"
	// tenantBound is how long one tenant may take to come, or to go.
	tenantBound = time.Minute
	// askEvery is how often a member whose rights have not arrived yet tries again.
	askEvery = 2 * time.Millisecond
)

const (
	memoryPerTenant    = "resident memory of a tenant"
	ownMemoryPerTenant = "resident memory of a tenant, of that no pages of files"
	afterRestart       = ", after a restart"
)

var tenancy = benchmark{
	name:  "tenants",
	title: "A tenant: until it can be used, and what it costs",
	about: "Tenants are made one after the other (20 in a turn in profile quick, 100 in full) while 1 and then 100 (full: 1,000) are there. " +
		"A tenant can be used when a member, by a token, has created a TenantContainer in it. By hand, one client makes the same objects (namespace, " +
		"quota, role binding, cluster role and binding) and the overlay network, one call after the other, and the same member does the same. " +
		"Memory is what the server holds 45 s after the last tenant came, less what it held before, for each of them; and the same between two starts.",
	goals: []measure.Goal{
		{Figure: withTenants(1, usable+", p99"), AtMost: 1},
		{Figure: withTenants(1000, usable+", p99"), AtMost: 1},
		{Figure: memoryPerTenant, AtMost: 200},
		{Figure: memoryPerTenant + afterRestart, AtMost: 200},
	},
	run: runTenancy,
}

const usable = "until a member uses it"

func withTenants(n int, figure string) string { return fmt.Sprintf("%d there: %s", n, figure) }

func runTenancy(ctx context.Context, s *session) error {
	o, err := s.office(ctx)
	if err != nil {
		return err
	}
	if err := o.server.CreateTenants(ctx, o.tenants("standing", 0, 1)); err != nil {
		return err
	}

	if err := o.compare(ctx, 1); err != nil {
		return err
	}
	before, err := o.weigh(ctx)
	if err != nil {
		return err
	}
	if err := o.fill(ctx, s.standing); err != nil {
		return err
	}
	after, err := o.weigh(ctx)
	if err != nil {
		return err
	}
	before.report(s, after, s.standing-1)

	return o.compare(ctx, s.standing)
}

// office is where tenants are brought in.
type office struct {
	*session

	engine *rig.Engine
	server *rig.Server
	member rig.Member
	// asMember is the member's client.
	asMember client.Client
	made     int
	// image that containers are declared with, where it matters that a registry has it.
	image string
}

// office starts an engine and a server, and makes a plan and somebody who will be a member of all tenants.
func (s *session) office(ctx context.Context) (*office, error) {
	o := &office{session: s}
	var err error
	if o.engine, err = s.engine(ctx); err != nil {
		return nil, err
	}
	if o.server, err = s.server(ctx, o.engine.Host); err != nil {
		return nil, err
	}
	if err := o.server.Client.Create(ctx, plan(planName, v1alpha1.ProfilePrivileged)); err != nil {
		return nil, fmt.Errorf("create plan: %w", err)
	}
	if o.member, err = o.server.Member(ctx, metav1.NamespaceDefault, "member"); err != nil {
		return nil, err
	}
	o.asMember, err = o.server.As(o.member)

	return o, err
}

// plan is one with a quota for everything that is charged.
func plan(name string, profile v1alpha1.SecurityProfile) *v1alpha1.Plan {
	return &v1alpha1.Plan{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.PlanSpec{
			SecurityProfile: profile,
			Quota: &v1alpha1.Quota{
				Containers: new(int64(1000)), Replicas: new(int64(100)), ConfigMaps: new(int64(50)), Secrets: new(int64(50)),
				Limits: &v1alpha1.ComputeQuota{CPU: new(resource.MustParse("1000")), Memory: new(resource.MustParse("1Ti"))},
			},
		},
	}
}

// tenant is one with a member who may do everything in it.
func (o *office) tenant(name string) *v1alpha1.Tenant {
	return &v1alpha1.Tenant{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.TenantSpec{
			PlanName: planName, DeletionPolicy: v1alpha1.DeletionDelete,
			Members: []v1alpha1.Member{{Kind: v1alpha1.MemberUser, Name: o.member.Name, Roles: []v1alpha1.TenantRole{v1alpha1.RoleOwner}}},
		},
	}
}

func (o *office) tenants(prefix string, from, to int) []*v1alpha1.Tenant {
	var out []*v1alpha1.Tenant
	for i := from; i < to; i++ {
		out = append(out, o.tenant(fmt.Sprintf("%s-%04d", prefix, i)))
	}

	return out
}

// fill brings the number of standing tenants to n.
func (o *office) fill(ctx context.Context, n int) error {
	began := time.Now()
	if err := o.server.CreateTenants(ctx, o.tenants("standing", 1, n)); err != nil {
		return err
	}
	o.report.Add(measure.Ours, fmt.Sprintf("%d at once: until all are Ready", n-1), measure.Seconds, time.Since(began).Seconds())

	return nil
}

// compare lets the arms take turns while n tenants are there.
func (o *office) compare(ctx context.Context, n int) error {
	// turn makes newcomers one after the other, and takes them away again when all have been timed.
	turn := func(bring func(context.Context, string) (made, error)) func(context.Context, adder) error {
		return func(ctx context.Context, add adder) error {
			var there, used measure.Values
			var all []made
			for range o.newcomers {
				o.made++
				m, err := o.bring(ctx, bring, fmt.Sprintf("newcomer-%05d", o.made))
				if err != nil {
					return err
				}
				all, there, used = append(all, m), append(there, m.ready.Seconds()), append(used, m.used.Seconds())
			}
			add(withTenants(n, "until all is there, p50"), measure.Seconds, there.Median())
			add(withTenants(n, usable+", p50"), measure.Seconds, used.Median())
			add(withTenants(n, usable+", p99"), measure.Seconds, used.Percentile(99))

			return o.clear(ctx, all)
		}
	}

	return o.take(ctx, o.rounds, arm{byHand, turn(o.byHand)}, arm{measure.Ours, turn(o.declare)})
}

// made is what one newcomer took, and what there is of it.
type made struct {
	ready, used time.Duration
	objects     []client.Object
	networkID   string
}

// bring times one newcomer, from the first call until a member has used it.
func (o *office) bring(ctx context.Context, how func(context.Context, string) (made, error), name string) (made, error) {
	ctx, cancel := context.WithTimeout(ctx, tenantBound)
	defer cancel()

	began := time.Now()
	m, err := how(ctx, name)
	if err != nil {
		return m, fmt.Errorf("make %q: %w", name, err)
	}
	if err := o.use(ctx, name); err != nil {
		return m, fmt.Errorf("use %q: %w", name, err)
	}
	m.used = time.Since(began)

	return m, nil
}

// use lets the member create a container. Rights and the count of the quota arrive a moment after the objects that say so.
func (o *office) use(ctx context.Context, namespace string) error {
	for {
		err := o.asMember.Create(ctx, rig.Container(namespace, "first", 0))
		if !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) {
			return err
		}
		if late := sleep(ctx, askEvery); late != nil {
			return fmt.Errorf("%w: %w", late, err)
		}
	}
}

// declare makes a Tenant and waits until it is Ready.
func (o *office) declare(ctx context.Context, name string) (made, error) {
	news, stop, err := o.server.WatchTenant(ctx, name)
	if err != nil {
		return made{}, err
	}
	defer stop()

	began, tenant := time.Now(), o.tenant(name)
	if err := o.server.Client.Create(ctx, tenant); err != nil {
		return made{}, err
	}
	at, err := rig.AwaitTenant(ctx, news)

	return made{ready: at.Sub(began), objects: []client.Object{tenant}}, err
}

// byHand makes the same objects.
func (o *office) byHand(ctx context.Context, name string) (made, error) {
	began, m := time.Now(), made{objects: o.objects(name)}
	for _, object := range m.objects {
		if err := o.server.Client.Create(ctx, object.DeepCopyObject().(client.Object)); err != nil {
			return m, err
		}
	}

	var err error
	m.networkID, err = o.engine.CreateNetwork(ctx, name+"_by_hand")
	m.ready = time.Since(began)

	return m, err
}

// objects are what the controller makes of a tenant with one owner.
func (o *office) objects(name string) []client.Object {
	in := metav1.ObjectMeta{Namespace: name, Name: "bench"}
	self := metav1.ObjectMeta{Name: "bench:" + name}
	who := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: o.member.Name}}
	read := func(resource, name string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{
			APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{resource}, ResourceNames: []string{name},
			Verbs: []string{"get", "list", "watch"},
		}
	}

	return []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}},
		&corev1.ResourceQuota{ObjectMeta: in, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{
			"count/serviceaccounts": resource.MustParse("300"), "count/deploytokens.identity.dogker.io": resource.MustParse("300"),
			v1alpha1.ResourceGitSyncs:   resource.MustParse("300"),
			v1alpha1.ResourceContainers: resource.MustParse("1000"), v1alpha1.ResourceReplicas: resource.MustParse("100"),
			v1alpha1.ResourceConfigMaps: resource.MustParse("50"), v1alpha1.ResourceSecrets: resource.MustParse("50"),
		}}},
		&corev1.ServiceAccount{ObjectMeta: in},
		&rbacv1.RoleBinding{ObjectMeta: in, Subjects: who, RoleRef: rbacv1.RoleRef{
			APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: v1alpha1.TenantRolePrefix + string(v1alpha1.RoleOwner),
		}},
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "bench-syncs"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: name, Name: in.Name}},
			RoleRef: rbacv1.RoleRef{
				APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: v1alpha1.TenantRolePrefix + string(v1alpha1.RoleDeveloper),
			},
		},
		&rbacv1.ClusterRole{ObjectMeta: self, Rules: []rbacv1.PolicyRule{read("tenants", name), read("plans", planName)}},
		&rbacv1.ClusterRoleBinding{ObjectMeta: self, Subjects: who, RoleRef: rbacv1.RoleRef{
			APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: self.Name,
		}},
	}
}

// clear takes newcomers away, with all that is theirs.
func (o *office) clear(ctx context.Context, all []made) error {
	var objects []client.Object
	for _, m := range all {
		objects = append(objects, m.objects...)
	}
	if err := o.server.Remove(ctx, objects); err != nil {
		return err
	}
	if _, err := o.engine.AwaitServices(ctx, "newcomer-", 0); err != nil {
		return err
	}
	for _, m := range all {
		if m.networkID == "" {
			continue
		}
		if err := o.engine.Docker.NetworkRemove(ctx, m.networkID); err != nil {
			return fmt.Errorf("remove network: %w", err)
		}
	}

	return nil
}
