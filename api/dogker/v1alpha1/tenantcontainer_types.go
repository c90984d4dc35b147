package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TenantContainer keeps one long-running container, replicated or on every node, running in Swarm as declared.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:path=tenantcontainers,shortName=tc,categories=dogker
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the declared tasks of the declared revision run and are healthy."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="Tasks",type=string,JSONPath=`.status.tasks`,description="Tasks that are ready, of those that are wanted."
// +kubebuilder:printcolumn:name="Image",type=string,JSONPath=`.spec.image`,description="The image as declared."
// +kubebuilder:printcolumn:name="Revision",type=integer,JSONPath=`.status.revision`,description="The revision that Swarm is asked to run."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
// +kubebuilder:printcolumn:name="Service",type=string,priority=1,JSONPath=`.status.service.name`,description="The Swarm service."
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",message="metadata.name must be a DNS label: at most 63 characters and no dots, because containers find each other by it",messageExpression="'metadata.name: \"' + self.metadata.name + '\" must be a DNS label: at most 63 characters and no dots, because containers find each other by it'"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.dependsOn) || !self.spec.dependsOn.exists(d, d.name == self.metadata.name)",message="spec.dependsOn must not name the container itself"
type TenantContainer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is asked for.
	Spec TenantContainerSpec `json:"spec"`
	// Status is what Dogker last saw. It is restored when deleted. Until it was looked at it is about no generation, so that
	// tools which go by kstatus (Helm, Flux, Argo CD) do not take what is new for something that never has a status.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status TenantContainerStatus `json:"status,omitempty"`
}

// TenantContainerList is a list of TenantContainers.
//
// +kubebuilder:object:root=true
type TenantContainerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []TenantContainer `json:"items"`
}

// TenantContainerSpec is what the tenant asks for; only the tenant writes it.
//
// +kubebuilder:validation:XValidation:rule="self.mode != 'Global' || !has(self.replicas)",message="replicas must not be set when mode is Global: a global container runs one task on each node"
// +kubebuilder:validation:XValidation:rule="!has(self.rollout) || !has(self.rollout.order) || self.rollout.order != 'StartFirst' || !has(self.ports) || !self.ports.exists(p, has(p.publish) && p.publish.mode == 'Host')",message="rollout.order must be StopFirst when a port is published in mode Host: the new task cannot bind the port while the old one holds it"
// +kubebuilder:validation:XValidation:rule="!has(self.endpointMode) || self.endpointMode != 'DNSRR' || !has(self.ports) || !self.ports.exists(p, has(p.publish) && p.publish.mode == 'Ingress')",message="endpointMode must be VIP when a port is published in mode Ingress: the routing mesh needs a virtual IP"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Global' || !has(self.placement) || !has(self.placement.maxReplicasPerNode)",message="placement.maxReplicasPerNode must not be set when mode is Global"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Global' || !has(self.autoscaling)",message="autoscaling must not be set when mode is Global: a global container runs one task on each node"
// +kubebuilder:validation:XValidation:rule="!has(self.autoscaling) || has(self.metrics) || !self.autoscaling.metrics.exists(m, m.type == 'RequestsPerSecond')",message="autoscaling.metrics: type RequestsPerSecond reads a counter of the tasks' own metrics, so metrics must be set"
// +kubebuilder:validation:XValidation:rule="!has(self.autoscaling) || self.autoscaling.metrics.all(m, !has(m.resource) || !has(m.resource.target.averageUtilization) || m.resource.name != 'cpu' || has(self.resources) && (has(self.resources.requests) && has(self.resources.requests.cpu) || has(self.resources.limits) && has(self.resources.limits.cpu)))",message="autoscaling.metrics: averageUtilization of cpu is a percentage of resources.requests.cpu, which is not set, and neither is the limit; set one, or use averageValue"
// +kubebuilder:validation:XValidation:rule="!has(self.autoscaling) || self.autoscaling.metrics.all(m, !has(m.resource) || !has(m.resource.target.averageUtilization) || m.resource.name != 'memory' || has(self.resources) && (has(self.resources.requests) && has(self.resources.requests.memory) || has(self.resources.limits) && has(self.resources.limits.memory)))",message="autoscaling.metrics: averageUtilization of memory is a percentage of resources.requests.memory, which is not set, and neither is the limit; set one, or use averageValue"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Global' || !has(self.placement) || !has(self.placement.spread)",message="placement.spread must not be set when mode is Global: there is one task on each node"
// +kubebuilder:validation:XValidation:rule="!has(self.metrics) || type(self.metrics.port) == int || (has(self.ports) && self.ports.exists(p, has(p.name) && p.name == self.metrics.port && p.protocol == 'TCP'))",message="metrics.port must be the name of a TCP port in ports, or a number",messageExpression="'metrics.port: \"' + string(self.metrics.port) + '\" is not the name of a TCP port in ports; it must be one, or a number'"
type TenantContainerSpec struct {
	// Image to run, as repository[:tag][@sha256:digest]. A tag is resolved to a digest once, when the template changes,
	// and the digest is what runs: a tag that moves later changes nothing until the next rollout.
	Image Image `json:"image"`

	// ImagePullPolicy says when the registry is asked. IfNotPresent: when the image or the tag changes; if the registry
	// cannot be reached, a copy that the engine holds is used and status says that it is not pinned. Always: at every
	// rollout, and the registry must answer. Never: the registry is not asked; only copies that engines hold are used.
	// +kubebuilder:default=IfNotPresent
	// +optional
	ImagePullPolicy PullPolicy `json:"imagePullPolicy,omitempty"`

	// ImagePullSecrets name Secrets of type kubernetes.io/dockerconfigjson with credentials for the registry.
	// +kubebuilder:validation:MaxItems=10
	// +listType=map
	// +listMapKey=name
	// +optional
	ImagePullSecrets []LocalObjectReference `json:"imagePullSecrets,omitempty"`

	// Command replaces the image's entrypoint. It is not run in a shell.
	// +kubebuilder:validation:MaxItems=200
	// +listType=atomic
	// +optional
	Command []Text `json:"command,omitempty"`

	// Args are given to the command, or to the image's entrypoint when command is not set.
	// +kubebuilder:validation:MaxItems=200
	// +listType=atomic
	// +optional
	Args []Text `json:"args,omitempty"`

	// WorkingDir is the working directory of the process; by default the image's own.
	// +optional
	WorkingDir AbsolutePath `json:"workingDir,omitempty"`

	// Env are environment variables. They win over envFrom.
	// +kubebuilder:validation:MaxItems=200
	// +listType=map
	// +listMapKey=name
	// +optional
	Env []EnvVar `json:"env,omitempty"`

	// EnvFrom makes every key of a Secret or ConfigMap an environment variable. Later entries win over earlier ones;
	// keys that are no valid variable names are skipped.
	// +kubebuilder:validation:MaxItems=20
	// +listType=atomic
	// +optional
	EnvFrom []EnvFromSource `json:"envFrom,omitempty"`

	// Files are keys of Secrets and ConfigMaps that appear as files in the container. A change of the content rolls the
	// container.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=path
	// +optional
	Files []File `json:"files,omitempty"`

	// Ports that the container listens on. Containers of the same namespace reach all of them by the container's name;
	// from outside only those with publish can be reached.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=containerPort
	// +listMapKey=protocol
	// +kubebuilder:validation:XValidation:rule="self.all(p, !has(p.name) || self.exists_one(q, has(q.name) && q.name == p.name))",message="port names must be unique"
	// +kubebuilder:validation:XValidation:rule="self.all(p, !has(p.publish) || self.exists_one(q, has(q.publish) && q.publish.port == p.publish.port && q.protocol == p.protocol))",message="published ports must be unique"
	// +optional
	Ports []Port `json:"ports,omitempty"`

	// Mode is Replicated (a number of tasks) or Global (one task on each node that placement allows). A change makes
	// Dogker replace the service, because Swarm cannot change it in place.
	// +kubebuilder:default=Replicated
	// +optional
	Mode Mode `json:"mode,omitempty"`

	// Replicas is the number of tasks to keep running in mode Replicated; 1 when not set. With autoscaling it is the number to
	// begin with, and 0 turns autoscaling and the container off.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	// +optional
	Replicas *int32 `json:"replicas,omitempty"`

	// Autoscaling moves the number of tasks by what is measured; without it replicas is the number. A change restarts nothing.
	// +optional
	Autoscaling *Autoscaling `json:"autoscaling,omitempty"`

	// Resources that one task is guaranteed, and may use at most.
	// +optional
	Resources *Resources `json:"resources,omitempty"`

	// HealthCheck decides whether a task is ready and stays so; by default the image's own HEALTHCHECK.
	// +optional
	HealthCheck *HealthCheck `json:"healthCheck,omitempty"`

	// Rollout says how a change of the template reaches the tasks.
	// +optional
	Rollout *Rollout `json:"rollout,omitempty"`

	// RevisionHistoryLimit is how many old revisions are kept for rollback.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +kubebuilder:default=10
	// +optional
	RevisionHistoryLimit *int32 `json:"revisionHistoryLimit,omitempty"`

	// RollbackTo runs the template of that revision in place of this one, for as long as it is set. `dogker rollout
	// undo` sets it; removing it goes forward again.
	// +kubebuilder:validation:Minimum=1
	// +optional
	RollbackTo *int64 `json:"rollbackTo,omitempty"`

	// RestartPolicy says when an ended task is started again.
	// +optional
	RestartPolicy *RestartPolicy `json:"restartPolicy,omitempty"`

	// StopSignal asks the process to stop; by default the image's own, or SIGTERM.
	// +kubebuilder:validation:Enum=SIGTERM;SIGINT;SIGQUIT;SIGHUP;SIGUSR1;SIGUSR2
	// +optional
	StopSignal string `json:"stopSignal,omitempty"`

	// TerminationGracePeriodSeconds is how long a task may take to stop before it is killed. It is capped, because a
	// stop that never ends is free compute.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=60
	// +kubebuilder:default=30
	// +optional
	TerminationGracePeriodSeconds *int64 `json:"terminationGracePeriodSeconds,omitempty"`

	// Placement says which nodes may run the tasks.
	// +optional
	Placement *Placement `json:"placement,omitempty"`

	// Security of the process.
	// +optional
	Security *Security `json:"security,omitempty"`

	// DependsOn names containers of this namespace that must be Ready before this one is started for the first time.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=name
	// +optional
	DependsOn []Dependency `json:"dependsOn,omitempty"`

	// Hostname inside the container; by default the engine's choice.
	// +optional
	Hostname DNSLabel `json:"hostname,omitempty"`

	// DNSAliases are further names by which containers of the same namespace reach this one.
	// +kubebuilder:validation:MaxItems=16
	// +listType=set
	// +optional
	DNSAliases []DNSLabel `json:"dnsAliases,omitempty"`

	// EndpointMode is DNSRR (the name resolves to the tasks) or VIP (to one virtual IP, which needs IPVS in the nodes'
	// kernels). By default VIP when a port is published in mode Ingress, and DNSRR otherwise.
	// +optional
	EndpointMode EndpointMode `json:"endpointMode,omitempty"`

	// ExtraHosts are added to /etc/hosts.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=ip
	// +optional
	ExtraHosts []ExtraHost `json:"extraHosts,omitempty"`

	// Sysctls to set in the container's own namespaces. Allowed are those of Kubernetes' safe list.
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, k in ['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ip_local_reserved_ports', 'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'])",message="only these sysctls are allowed: kernel.shm_rmid_forced, net.ipv4.ip_local_port_range, net.ipv4.tcp_syncookies, net.ipv4.ping_group_range, net.ipv4.ip_unprivileged_port_start, net.ipv4.ip_local_reserved_ports, net.ipv4.tcp_keepalive_time, net.ipv4.tcp_keepalive_intvl, net.ipv4.tcp_keepalive_probes, net.ipv4.tcp_fin_timeout, net.ipv4.tcp_rmem, net.ipv4.tcp_wmem",messageExpression="'\"' + self.filter(k, !(k in ['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ip_local_reserved_ports', 'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']))[0] + '\": only these sysctls are allowed: kernel.shm_rmid_forced, net.ipv4.ip_local_port_range, net.ipv4.tcp_syncookies, net.ipv4.ping_group_range, net.ipv4.ip_unprivileged_port_start, net.ipv4.ip_local_reserved_ports, net.ipv4.tcp_keepalive_time, net.ipv4.tcp_keepalive_intvl, net.ipv4.tcp_keepalive_probes, net.ipv4.tcp_fin_timeout, net.ipv4.tcp_rmem, net.ipv4.tcp_wmem'"
	// +optional
	Sysctls map[string]ShortText `json:"sysctls,omitempty"`

	// Ulimits of the process.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=name
	// +optional
	Ulimits []Ulimit `json:"ulimits,omitempty"`

	// Tmpfs are file systems in memory. Their size counts against the memory limit.
	// +kubebuilder:validation:MaxItems=5
	// +listType=map
	// +listMapKey=mountPath
	// +optional
	Tmpfs []Tmpfs `json:"tmpfs,omitempty"`

	// Volumes that the container sees, with what they hold. A container and its data have lives of their own: what is deleted
	// here is deleted there only when the Volume is.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=mountPath
	// +optional
	Volumes []VolumeMount `json:"volumes,omitempty"`

	// Labels of the containers. A change restarts the tasks. The prefixes com.docker., io.dogker. and dogker.io are
	// reserved.
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.size() > 0 && k.size() <= 128 && k.matches('^[a-zA-Z0-9._/-]+$'))",message="label keys must be 1 to 128 letters, digits, dots, hyphens, underscores and slashes",messageExpression="'\"' + self.filter(k, !(k.size() > 0 && k.size() <= 128 && k.matches('^[a-zA-Z0-9._/-]+$')))[0] + '\": label keys must be 1 to 128 letters, digits, dots, hyphens, underscores and slashes'"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !['com.docker.', 'io.dogker.', 'dogker.io/', 'dogker.', 'org.opencontainers.', 'io.docker.'].exists(p, k.lowerAscii().startsWith(p)))",message="label keys must not begin with com.docker., io.docker., io.dogker., dogker.io/, dogker. or org.opencontainers.: these are reserved",messageExpression="'\"' + self.filter(k, !(!['com.docker.', 'io.dogker.', 'dogker.io/', 'dogker.', 'org.opencontainers.', 'io.docker.'].exists(p, k.lowerAscii().startsWith(p))))[0] + '\": label keys must not begin with com.docker., io.docker., io.dogker., dogker.io/, dogker. or org.opencontainers.: these are reserved'"
	// +optional
	Labels map[string]LabelText `json:"labels,omitempty"`

	// Logging says where the engine keeps the output of the tasks; by default the engine's own setting.
	// +optional
	Logging *Logging `json:"logging,omitempty"`

	// StuckTaskPolicy says what becomes of a task that neither runs nor fails though it has a container: Report, the default,
	// shows it in status.health; Replace stops the container as well, and Swarm starts another task. A change restarts nothing.
	// +optional
	StuckTaskPolicy StuckTaskPolicy `json:"stuckTaskPolicy,omitempty"`

	// Metrics says where the tasks tell Prometheus about themselves. A change restarts nothing.
	// +optional
	Metrics *Metrics `json:"metrics,omitempty"`

	// Schedule says at which times of the week the container runs; always when not set. A suspension has the last word.
	// +optional
	Schedule *Schedule `json:"schedule,omitempty"`

	// Paused holds changes of the template back until it is removed. Scaling, suspension and drift repair go on.
	// +optional
	Paused bool `json:"paused,omitempty"`
}
