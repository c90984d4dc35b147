package v1alpha1

// JobTemplate is what a run of a job runs: those fields of a TenantContainer that mean something for what ends. They have the same
// types, rules and defaults.
type JobTemplate struct {
	// Image to run, as repository[:tag][@sha256:digest]. A tag is resolved to a digest when a run begins, and that digest is what
	// all tasks of the run are.
	Image Image `json:"image"`

	// ImagePullPolicy says when the registry is asked. IfNotPresent: when a run begins; if the registry cannot be reached, a copy
	// that the engine holds is used; in a tenant's namespace, unless its security profile is privileged, the run waits for the
	// registry. Always: when a run begins, and the registry must answer. Never: the registry is not asked; only copies that
	// engines hold are used, which takes the security profile privileged, or a namespace of no tenant.
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

	// Files are keys of Secrets and ConfigMaps that appear as files in the container, with the content of when the run begins.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=path
	// +optional
	Files []File `json:"files,omitempty"`

	// Resources that one task is guaranteed, and may use at most.
	// +optional
	Resources *Resources `json:"resources,omitempty"`

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

	// Hostname inside the container; by default the engine's choice.
	// +optional
	Hostname DNSLabel `json:"hostname,omitempty"`

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

	// Labels of the containers. The prefixes com.docker., io.dogker. and dogker.io are
	// reserved.
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.size() > 0 && k.size() <= 128 && k.matches('^[a-zA-Z0-9._/-]+$'))",message="label keys must be 1 to 128 letters, digits, dots, hyphens, underscores and slashes",messageExpression="'\"' + self.filter(k, !(k.size() > 0 && k.size() <= 128 && k.matches('^[a-zA-Z0-9._/-]+$')))[0] + '\": label keys must be 1 to 128 letters, digits, dots, hyphens, underscores and slashes'"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !['com.docker.', 'io.dogker.', 'dogker.io/', 'dogker.', 'org.opencontainers.', 'io.docker.'].exists(p, k.lowerAscii().startsWith(p)))",message="label keys must not begin with com.docker., io.docker., io.dogker., dogker.io/, dogker. or org.opencontainers.: these are reserved",messageExpression="'\"' + self.filter(k, !(!['com.docker.', 'io.dogker.', 'dogker.io/', 'dogker.', 'org.opencontainers.', 'io.docker.'].exists(p, k.lowerAscii().startsWith(p))))[0] + '\": label keys must not begin with com.docker., io.docker., io.dogker., dogker.io/, dogker. or org.opencontainers.: these are reserved'"
	// +optional
	Labels map[string]LabelText `json:"labels,omitempty"`

	// Logging says where the engine keeps the output of the tasks; by default the engine's own setting.
	// +optional
	Logging *Logging `json:"logging,omitempty"`
}
