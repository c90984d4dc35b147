package v1alpha1

// Finalizer holds a TenantContainer until its service, every task of it, and what only it used are gone from Swarm.
const Finalizer = "dogker.io/swarm"

// FinalizerTenant holds a Tenant until everything that was made for it is gone, in Swarm and in the API.
const FinalizerTenant = "dogker.io/tenant"

// FinalizerPlan holds a Plan for as long as a tenant has it.
const FinalizerPlan = "dogker.io/plan-in-use"

// Annotations by which people and other controllers tell the workload controller what to do.
const (
	// AnnotationSuspend on a TenantContainer gives it zero effective replicas and keeps everything else; on a Tenant it
	// does so for all its containers. Its value is the reason, shown in the Suspended condition.
	AnnotationSuspend = "dogker.io/suspend"
	// AnnotationBillingSuspend on a Tenant does the same. Billing writes it, and nobody else may.
	AnnotationBillingSuspend = "billing.dogker.io/suspend"
	// AnnotationDeleteData on a Tenant is the second word for the deletion of data: it must hold the tenant's name.
	AnnotationDeleteData = "dogker.io/delete-data"
	// AnnotationRestartedAt asks for one rolling restart whenever its value changes. `dogker restart` writes a time.
	AnnotationRestartedAt = "dogker.io/restartedAt"
	// AnnotationAdopt on a TenantContainer that never had a service is the ID of one in Swarm that is to become its own, and
	// whose tasks go on as they are. `dogker import` writes it, with the right to adopt that no tenant has.
	AnnotationAdopt = "dogker.io/adopt"
	// AnnotationAdoptNetwork on a Tenant is the ID of a network in Swarm that is to be the tenant's, as long as it has
	// none of its own. It takes the same right.
	AnnotationAdoptNetwork = "dogker.io/adopt-network"
	// AnnotationChangeCause is copied to the revision a change makes, as kubectl does for Deployments.
	AnnotationChangeCause = "kubernetes.io/change-cause"
)

// Labels of ContainerRevision objects.
const (
	// LabelContainer names the TenantContainer a revision belongs to.
	LabelContainer = "dogker.io/container"
)

// Labels and names of what is made for a Tenant.
const (
	// LabelTenant names the Tenant that a namespace, and what Dogker keeps in it, belongs to. A namespace that was there
	// before becomes the tenant's when it carries it.
	LabelTenant = "dogker.io/tenant"
	// LabelTenantUID on a namespace is the UID of its Tenant, so that one that was made anew is told from the one before.
	LabelTenantUID = "dogker.io/tenant-uid"
	// TenantQuotaName is the name of the ResourceQuota in a tenant's namespace.
	TenantQuotaName = "dogker-tenant"
	// TenantRolePrefix begins the names of the ClusterRoles dogker-tenant-owner, -developer, -viewer and -billing, and of
	// the RoleBindings to them in each tenant's namespace.
	TenantRolePrefix = "dogker-tenant-"
)

// Labels of everything Dogker creates in Swarm. They stand on the Swarm object itself, never on the container inside a
// service, because a changed container label restarts its tasks.
const (
	// SwarmLabelManaged marks an object as ours; without it nothing is ever touched.
	SwarmLabelManaged = "io.dogker.managed"
	// SwarmLabelTenant is the namespace of the owner.
	SwarmLabelTenant = "io.dogker.tenant"
	// SwarmLabelKind is the kind of the owner.
	SwarmLabelKind = "io.dogker.kind"
	// SwarmLabelName is the name of the owner.
	SwarmLabelName = "io.dogker.name"
	// SwarmLabelUID is the UID of the owner; ownership is decided by it, not by names.
	SwarmLabelUID = "io.dogker.uid"
	// SwarmLabelGeneration is the owner's generation at the last write. A controller that holds an older one leaves
	// the object alone, so that a stale leader is refused, not obeyed.
	SwarmLabelGeneration = "io.dogker.generation"
	// SwarmLabelSpecHash is the hash of the service spec as we rendered it.
	SwarmLabelSpecHash = "io.dogker.spec-hash"
	// SwarmLabelRevision is the number of the revision that the service runs.
	SwarmLabelRevision = "io.dogker.revision"
	// SwarmLabelTemplateHash is the template hash of that revision, by which the revision is known before it has been
	// recorded.
	SwarmLabelTemplateHash = "io.dogker.template-hash"
	// SwarmLabelImage is the image as the user wrote it, before it was resolved to a digest.
	SwarmLabelImage = "io.dogker.image"
	// SwarmLabelRestartedAt is the value of AnnotationRestartedAt that the service has obeyed.
	SwarmLabelRestartedAt = "io.dogker.restarted-at"
	// SwarmLabelRegistryAuth is a keyed digest of the registry credentials last sent with the service, never the
	// credentials themselves.
	SwarmLabelRegistryAuth = "io.dogker.registry-auth"
	// SwarmLabelPlacement is PlacementWorkers on a service whose tasks keep off the managers of the swarm, because the
	// security profile of its tenant asks for it. It is the record of that decision: what has been decided once is not
	// taken back because a node is away.
	SwarmLabelPlacement = "io.dogker.placement"
	// SwarmLabelPrivileges is PrivilegesNoNew on a service whose processes can gain no privileges.
	SwarmLabelPrivileges = "io.dogker.privileges"
	// SwarmLabelAdopted is on a service that Dogker did not make and that still runs what it ran when it was adopted. Its
	// value identifies that: somebody who changes it in Swarm is noticed.
	SwarmLabelAdopted = "io.dogker.adopted"
	// SwarmLabelContentHash is the digest of the data of a secret or config, whose content Swarm cannot be asked for.
	SwarmLabelContentHash = "io.dogker.content-hash"
)

// PrivilegesNoNew is the value of SwarmLabelPrivileges.
const PrivilegesNoNew = "no-new"

// PlacementWorkers is the value of SwarmLabelPlacement.
const PlacementWorkers = "workers"
