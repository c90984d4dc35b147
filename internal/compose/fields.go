package compose

import "strings"

// reason says why a field is not converted.
type reason struct {
	kind         Kind
	why, instead string
	// secret keeps the value out of reports.
	secret bool
}

// converted are the fields that the rest of this package reads, by their path; what lies below them is theirs, too. Their
// names are those of the Compose specification.
var converted = paths(`
	services.* name profiles extends image command entrypoint working_dir hostname stop_signal stop_grace_period environment env_file
	services.* labels label_file expose scale restart cpus mem_limit mem_reservation pids_limit links container_name network_mode
	services.* cap_add cap_drop user read_only init security_opt sysctls ulimits tmpfs extra_hosts platform pull_policy build provider
	services.*.configs.* source target uid gid mode
	services.*.secrets.* source target uid gid mode
	services.*.ports.* name mode host_ip target published protocol
	services.*.volumes.* type source target tmpfs bind volume image consistency read_only
	services.*.networks.* aliases priority
	services.*.depends_on.* condition restart required
	services.*.healthcheck test interval timeout retries start_period disable
	services.*.logging driver options
	services.*.deploy mode replicas labels endpoint_mode
	services.*.deploy.update_config parallelism delay failure_action monitor max_failure_ratio order
	services.*.deploy.restart_policy condition delay max_attempts window
	services.*.deploy.placement constraints preferences max_replicas_per_node
	services.*.deploy.resources.limits cpus memory pids
	services.*.deploy.resources.reservations cpus memory pids
	networks.* name driver driver_opts ipam external internal attachable labels enable_ipv4 enable_ipv6
	volumes.* name driver labels #extensions
	configs.* name file environment content external labels #extensions
	secrets.* name file environment content external labels #extensions
`)

// paths are the fields of lists that begin with what they belong to.
func paths(lists string) map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(lists) {
		words := strings.Fields(line)
		for i := range words {
			if i > 0 {
				out[words[0]+"."+words[i]] = true
			}
		}
	}

	return out
}

// The reasons that several fields share.
var (
	noNode     = reason{kind: Refused, why: "nothing of a node is a tenant's (rule M1)", instead: "do without it, or run what needs it on a node of its own"}
	noKernel   = reason{kind: Refused, why: "containers have namespaces of their own (rule N1)", instead: "leave it out"}
	noCgroup   = reason{kind: Lost, why: "CPU and memory are what deploy.resources says", instead: "declare limits and reservations"}
	noHook     = reason{kind: Lost, why: "nothing is run beside the process of the container", instead: "do it in the entrypoint", secret: true}
	noTerminal = reason{kind: Lost, why: "no terminal is attached to a container", instead: "let the program do without"}
	noResolver = reason{kind: Refused, why: "names are resolved by the network of the namespace (rule N4)", instead: "leave it out; the nodes' own DNS is asked for the rest"}
	noAddress  = reason{kind: Lost, why: "addresses are given by the network", instead: "reach each other by name"}
	noDriver   = reason{kind: Refused, why: "drivers run on the nodes, with their rights (rule S3)", instead: "write the content into a file, and name it in file"}
	noOutside  = reason{kind: Refused, why: "it lies on nodes already, and whose data that is, is for the platform to say", instead: "ask the operator for a Volume with spec.adopt, or let one be made and copy the data into it"}
	noSpecial  = reason{kind: Refused, why: "a driver with options of its own can mount whatever the node can reach (rule M2)", instead: "leave it out", secret: true}
	noDevelop  = reason{kind: Lost, why: "it is for developing on one machine", instead: "leave it out"}
)

// tabled are the fields that are not converted, by their path.
var tabled = map[string]reason{
	"jobs.*":   {kind: Lost, why: "jobs are not converted", instead: "write a TenantJob", secret: true},
	"models.*": {kind: Lost, why: "models are not served here", instead: "run a server of models as a container", secret: true},

	"volumes.*.driver_opts": noSpecial,
	"volumes.*.external":    noOutside,

	"configs.*.driver": noDriver, "configs.*.driver_opts": noDriver, "configs.*.template_driver": noDriver,
	"secrets.*.driver": noDriver, "secrets.*.driver_opts": noDriver, "secrets.*.template_driver": noDriver,

	"services.*.annotations":         {kind: Lost, why: "containers have labels, and no annotations", instead: "write them as labels"},
	"services.*.attach":              noDevelop,
	"services.*.develop":             noDevelop,
	"services.*.blkio_config":        {kind: Lost, why: "disks are shared without weights or limits", instead: ""},
	"services.*.cgroup":              noKernel,
	"services.*.cgroup_parent":       noKernel,
	"services.*.ipc":                 noKernel,
	"services.*.isolation":           noKernel,
	"services.*.pid":                 noKernel,
	"services.*.userns_mode":         noKernel,
	"services.*.uts":                 noKernel,
	"services.*.cpu_count":           noCgroup,
	"services.*.cpu_percent":         noCgroup,
	"services.*.cpu_period":          noCgroup,
	"services.*.cpu_quota":           noCgroup,
	"services.*.cpu_rt_period":       noCgroup,
	"services.*.cpu_rt_runtime":      noCgroup,
	"services.*.cpu_shares":          noCgroup,
	"services.*.cpuset":              noCgroup,
	"services.*.memswap_limit":       noCgroup,
	"services.*.mem_swappiness":      noCgroup,
	"services.*.oom_kill_disable":    noCgroup,
	"services.*.oom_score_adj":       noCgroup,
	"services.*.credential_spec":     {kind: Lost, why: "it is for Windows", instead: "", secret: true},
	"services.*.device_cgroup_rules": noNode,
	"services.*.devices":             noNode,
	"services.*.gpus":                noNode,
	"services.*.dns":                 noResolver,
	"services.*.dns_opt":             noResolver,
	"services.*.dns_search":          noResolver,
	"services.*.domainname":          {kind: Lost, why: "containers have a hostname and no domain", instead: "write the full name where the program wants it"},
	"services.*.external_links":      {kind: Lost, why: "containers of other projects are reached by their own names, in the same namespace", instead: "use those"},
	"services.*.group_add":           {kind: Refused, why: "a further group can be one of the node's (rule U2)", instead: "give the files to the user or group of the process"},
	"services.*.log_driver":          {kind: Lost, why: "it is of files of version 1", instead: "declare logging"},
	"services.*.log_opt":             {kind: Lost, why: "it is of files of version 1", instead: "declare logging", secret: true},
	"services.*.net":                 {kind: Lost, why: "it is of files of version 1", instead: "declare networks"},
	"services.*.dockerfile":          {kind: Lost, why: "it is of files of version 1, and nothing is built here", instead: "build the image, and push it to a registry"},
	"services.*.volume_driver":       noSpecial,
	"services.*.mac_address":         noAddress,
	"services.*.models":              {kind: Lost, why: "models are not served here", instead: "run a server of models as a container"},
	"services.*.post_start":          noHook,
	"services.*.pre_start":           noHook,
	"services.*.pre_stop":            noHook,
	"services.*.privileged":          {kind: Refused, why: "it would make the container root on its node", instead: "name the capabilities that are needed in cap_add"},
	"services.*.pull_refresh_after":  {kind: Lost, why: "a tag is resolved once for each rollout, and not again after a time", instead: "name the image by another tag to roll it out"},
	"services.*.runtime":             {kind: Refused, why: "the runtime is the engine's", instead: "ask the operator of the platform for nodes with another"},
	"services.*.shm_size":            {kind: Lost, why: "/dev/shm has the size that the engine gives it, 64 MiB", instead: "tell the program to use a directory in tmpfs"},
	"services.*.stdin_open":          noTerminal,
	"services.*.tty":                 noTerminal,
	"services.*.storage_opt":         {kind: Lost, why: "disks are shared without limits for one container", instead: ""},
	"services.*.umask":               {kind: Lost, why: "there is no field for it", instead: "set it in the entrypoint"},
	"services.*.use_api_socket":      {kind: Refused, why: "whoever reaches the engine's socket is root on every node (rule M1)", instead: "use the API of Dogker, with a token of the tenant"},
	"services.*.volumes_from":        {kind: Lost, why: "containers share no files", instead: "give both the same configs, or let one serve the other"},

	"services.*.ports.*.app_protocol":              {kind: Lost, why: "no Route kind reads it yet", instead: ""},
	"services.*.healthcheck.start_interval":        {kind: Lost, why: "checks are as far apart in the start period as later", instead: "choose an interval that does for both"},
	"services.*.networks.*.driver_opts":            {kind: Lost, why: "the network of a namespace is made by the platform", instead: "leave it out", secret: true},
	"services.*.networks.*.gw_priority":            noAddress,
	"services.*.networks.*.interface_name":         noAddress,
	"services.*.networks.*.ipv4_address":           noAddress,
	"services.*.networks.*.ipv6_address":           noAddress,
	"services.*.networks.*.link_local_ips":         noAddress,
	"services.*.networks.*.mac_address":            noAddress,
	"services.*.networks.*.use_service_name_alias": {kind: Lost, why: "a container always has its name", instead: ""},

	"services.*.deploy.rollback_config":                          {kind: Lost, why: "the last good revision is put back as changes are rolled out", instead: "declare update_config"},
	"services.*.deploy.resources.limits.devices":                 noNode,
	"services.*.deploy.resources.limits.generic_resources":       noNode,
	"services.*.deploy.resources.reservations.devices":           noNode,
	"services.*.deploy.resources.reservations.generic_resources": noNode,
}
