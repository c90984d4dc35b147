package guard

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

func TestCheckLetsSafeSpecsPass(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*swarm.ServiceSpec, *Facts)
	}{
		"Everything": {reason: "All that may be set is set.", change: func(*swarm.ServiceSpec, *Facts) {}},
		"GlobalWithoutNetworkExtras": {
			reason: "The smallest spec there is.",
			change: func(s *swarm.ServiceSpec, _ *Facts) {
				s.Mode = swarm.ServiceMode{Global: &swarm.GlobalService{}}
				s.TaskTemplate = swarm.TaskSpec{
					ContainerSpec: &swarm.ContainerSpec{Image: "app", StopGracePeriod: new(time.Duration(0))},
					Networks:      []swarm.NetworkAttachmentConfig{{Target: "net1"}},
				}
				s.EndpointSpec = &swarm.EndpointSpec{Mode: "dnsrr"}
			},
		},
		"ZeroReplicas":  {reason: "Suspended.", change: func(s *swarm.ServiceSpec, _ *Facts) { s.Mode.Replicated.Replicas = new(uint64(0)) }},
		"InitOff":       {reason: "A false behind a pointer is a value.", change: func(s *swarm.ServiceSpec, _ *Facts) { con(s).Init = new(false) }},
		"EmptyArgument": {reason: "An empty argument is one.", change: func(s *swarm.ServiceSpec, _ *Facts) { con(s).Args = []string{""} }},
		"OneLocalLogFile": {
			reason: "The driver local must be told not to compress when there is one file.",
			change: func(s *swarm.ServiceSpec, _ *Facts) {
				s.TaskTemplate.LogDriver = &swarm.Driver{Name: "local", Options: map[string]string{"max-file": "1", "compress": "false"}}
			},
		},
		"OffManagers": {
			reason: "A constraint that no manager fulfils.",
			change: func(s *swarm.ServiceSpec, f *Facts) {
				f.OffManagers, s.Labels["io.dogker.placement"] = true, "workers"
				s.TaskTemplate.Placement.Constraints = []string{"node.labels.zone==a", "node.role!=manager", "node.id==n1"}
			},
		},
		"NoNewPrivileges": {
			reason: "Fewer privileges are the only ones that may be spoken of.",
			change: func(s *swarm.ServiceSpec, f *Facts) {
				f.NoNewPrivileges, s.Labels["io.dogker.privileges"] = true, "no-new"
				con(s).Privileges = &swarm.Privileges{NoNewPrivileges: true}
			},
		},
		"OnWorkers": {
			reason: "The tenant has said it himself.",
			change: func(s *swarm.ServiceSpec, f *Facts) { f.OffManagers = true },
		},
		"HeldImageID": {
			reason: "Without a registry, a swarm of one node runs what its engine holds for the declared name.",
			change: func(s *swarm.ServiceSpec, f *Facts) { con(s).Image, f.ImageID = "sha256:"+hex64, "sha256:"+hex64 },
		},
		"LongNames": {
			reason: "Names that are too long for Swarm are cut, in the same way for everybody.",
			change: func(s *swarm.ServiceSpec, f *Facts) {
				f.Owner.Tenant = strings.Repeat("a", 63)
				s.Name = strings.Repeat("a", 52) + "-f3d79652b2"
				s.Labels["io.dogker.tenant"] = f.Owner.Tenant
			},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, f := safe(), facts()
			tc.change(&s, &f)
			if err := Check(s, f); err != nil {
				t.Errorf("%s\nCheck: %v", tc.reason, err)
			}
		})
	}
}

func con(s *swarm.ServiceSpec) *swarm.ContainerSpec {
	return s.TaskTemplate.ContainerSpec
}

// Escapes that were tried on a real engine, and worked there.
func TestCheckRefusesEscapes(t *testing.T) {
	volume := func(o *mount.VolumeOptions) func(*swarm.ServiceSpec) {
		return func(s *swarm.ServiceSpec) {
			con(s).Mounts = []mount.Mount{{Type: "volume", Source: "other", Target: "/v", VolumeOptions: o}}
		}
	}

	cases := map[string]struct {
		reason string
		change func(*swarm.ServiceSpec)
	}{
		"BindMount":       {"The node's files, as root.", func(s *swarm.ServiceSpec) { con(s).Mounts[0] = mount.Mount{Type: "bind", Source: "/", Target: "/h"} }},
		"NamedPipe":       {"The engine's own socket.", func(s *swarm.ServiceSpec) { con(s).Mounts[0].Type = "npipe" }},
		"ClusterVolume":   {"A mount that nobody has thought about.", func(s *swarm.ServiceSpec) { con(s).Mounts[0].Type = "cluster" }},
		"ImageMount":      {"The files of another tenant's image.", func(s *swarm.ServiceSpec) { con(s).Mounts[0].Type = "image" }},
		"OthersVolume":    {"Volumes are global to a node.", volume(nil)},
		"AnonymousVolume": {"It is gone with its task.", func(s *swarm.ServiceSpec) { con(s).Mounts[1].Source = "" }},
		"VolumeElsewhere": {"Another node would make an empty one.", func(s *swarm.ServiceSpec) { s.TaskTemplate.Placement.Constraints = []string{"node.id!=n1"} }},
		"VolumeAnywhere":  {"Any node would make an empty one.", func(s *swarm.ServiceSpec) { s.TaskTemplate.Placement = nil }},
		"OtherOptions": {"The driver takes them as they are.", func(s *swarm.ServiceSpec) {
			con(s).Mounts[2].VolumeOptions.DriverConfig.Options = map[string]string{"share": "/b"}
		}},
		"OtherDriver": {"It makes another volume.", func(s *swarm.ServiceSpec) { con(s).Mounts[2].VolumeOptions.DriverConfig.Name = "local" }},
		"NoDriver":    {"The engine's own would make an empty one.", func(s *swarm.ServiceSpec) { con(s).Mounts[2].VolumeOptions.DriverConfig = nil }},
		"AddedDriver": {"The driver local binds any path.", func(s *swarm.ServiceSpec) {
			con(s).Mounts[1].VolumeOptions.DriverConfig = &mount.Driver{Name: "local", Options: map[string]string{"type": "none", "o": "bind", "device": "/"}}
		}},
		"NoOptions":             {"Nobody would know whose it is.", func(s *swarm.ServiceSpec) { con(s).Mounts[1].VolumeOptions = nil }},
		"OtherLabels":           {"It would be found as somebody else's.", func(s *swarm.ServiceSpec) { con(s).Mounts[1].VolumeOptions.Labels["io.dogker.name"] = "x" }},
		"WritesReadOnly":        {"It may only be read.", func(s *swarm.ServiceSpec) { con(s).Mounts[2].ReadOnly = false }},
		"Subpath":               {"Not on the list.", func(s *swarm.ServiceSpec) { con(s).Mounts[1].VolumeOptions.Subpath = "../x" }},
		"VolumeInMemory":        {"It is one or the other.", func(s *swarm.ServiceSpec) { con(s).Mounts[1].TmpfsOptions = &mount.TmpfsOptions{SizeBytes: 1 << 20} }},
		"TmpfsOfVolume":         {"It is one or the other.", func(s *swarm.ServiceSpec) { con(s).Mounts[0].Source = "acme_data_1" }},
		"VolumeTwice":           {"One would hide the other.", func(s *swarm.ServiceSpec) { con(s).Mounts[2].Target = "/data" }},
		"VolumeNamedAsTemplate": {"The engine would expand it to another's.", func(s *swarm.ServiceSpec) { con(s).Mounts[1].Source = "acme_{{\"data\"}}_1" }},
		"DeviceOptions":         {"The driver local binds any path.", volume(&mount.VolumeOptions{DriverConfig: &mount.Driver{Name: "local", Options: map[string]string{"o": "bind"}}})},
		"UnsizedTmpfs":          {"It may grow to half of the node's memory.", func(s *swarm.ServiceSpec) { con(s).Mounts[0].TmpfsOptions = nil }},
		"ExecutableTmpfs":       {"The engine's defaults are noexec, nosuid and nodev.", func(s *swarm.ServiceSpec) { con(s).Mounts[0].TmpfsOptions.Options = [][]string{{"exec"}} }},
		"Propagation":           {"A mount that reaches the node.", func(s *swarm.ServiceSpec) { con(s).Mounts[0].BindOptions = &mount.BindOptions{Propagation: "shared"} }},
		"SysAdmin":              {"mount(2) works with it.", func(s *swarm.ServiceSpec) { con(s).CapabilityAdd = []string{"CAP_SYS_ADMIN"} }},
		"AllCapabilities":       {"Among them the one above.", func(s *swarm.ServiceSpec) { con(s).CapabilityAdd = []string{"ALL"} }},
		"LowerCase":             {"The engine reads capabilities in any case.", func(s *swarm.ServiceSpec) { con(s).CapabilityAdd = []string{"cap_chown"} }},
		"HostNetwork":           {"The node's own network.", func(s *swarm.ServiceSpec) { s.TaskTemplate.Networks[0].Target = "host" }},
		"SecondNetwork": {"Another tenant's.", func(s *swarm.ServiceSpec) {
			s.TaskTemplate.Networks = append(s.TaskTemplate.Networks, swarm.NetworkAttachmentConfig{Target: "net2"})
		}},
		"NoNetwork":      {"The engine would use its default one.", func(s *swarm.ServiceSpec) { s.TaskTemplate.Networks = nil }},
		"LegacyNetworks": {"The deprecated field works, too.", func(s *swarm.ServiceSpec) { s.Networks = []swarm.NetworkAttachmentConfig{{Target: "host"}} }}, //nolint:staticcheck // On purpose.
		"DriverOptions":  {"The driver's own language.", func(s *swarm.ServiceSpec) { s.TaskTemplate.Networks[0].DriverOpts = map[string]string{"a": "b"} }},
		"OthersSecret": {"Whoever knows ID and name can read it.", func(s *swarm.ServiceSpec) {
			con(s).Secrets[0].SecretID, con(s).Secrets[0].SecretName = "s2", "other_db_1"
		}},
		"OthersSecretID": {"The name is ours, the ID is not.", func(s *swarm.ServiceSpec) { con(s).Secrets[0].SecretID = "s2" }},
		"UnknownConfig":  {"Configs are read in the same way.", func(s *swarm.ServiceSpec) { con(s).Configs[0].ConfigName = "other_shop_1" }},
		"RuntimeConfig":  {"A config as a credential spec.", func(s *swarm.ServiceSpec) { con(s).Configs[0].Runtime = &swarm.ConfigReferenceRuntimeTarget{} }},
		"NoFileTarget":   {"The engine would refuse it, with a text that names nothing.", func(s *swarm.ServiceSpec) { con(s).Secrets[0].File = nil }},
		"NilSecret":      {"An element that is null.", func(s *swarm.ServiceSpec) { con(s).Secrets = append(con(s).Secrets, nil) }},
		"TargetClimbs":   {"The path is read by the engine, not by us.", func(s *swarm.ServiceSpec) { con(s).Secrets[0].File.Name = "/run/../etc/passwd" }},
		"TargetTwice":    {"One would hide the other.", func(s *swarm.ServiceSpec) { con(s).Secrets[0].File.Name = con(s).Mounts[0].Target }},
		"Plugin": {"It runs on the node.", func(s *swarm.ServiceSpec) {
			s.TaskTemplate.Runtime, s.TaskTemplate.PluginSpec = "plugin", &swarm.RuntimeSpec{Name: "p"}
		}},
		"Attachment":    {"It is no container.", func(s *swarm.ServiceSpec) { s.TaskTemplate.NetworkAttachmentSpec = &swarm.NetworkAttachmentSpec{} }},
		"Job":           {"Jobs run again at every write.", func(s *swarm.ServiceSpec) { s.Mode = swarm.ServiceMode{ReplicatedJob: &swarm.ReplicatedJob{}} }},
		"NoMode":        {"The engine would choose.", func(s *swarm.ServiceSpec) { s.Mode = swarm.ServiceMode{} }},
		"TwoModes":      {"The engine would choose.", func(s *swarm.ServiceSpec) { s.Mode.Global = &swarm.GlobalService{} }},
		"Syslog":        {"The engine itself connects out.", func(s *swarm.ServiceSpec) { s.TaskTemplate.LogDriver.Name = "syslog" }},
		"LogPath":       {"The engine opens a path of the tenant's choice.", func(s *swarm.ServiceSpec) { s.TaskTemplate.LogDriver.Options["syslog-tls-ca-cert"] = "/etc/hostname" }},
		"HugeLogs":      {"They fill the node.", func(s *swarm.ServiceSpec) { s.TaskTemplate.LogDriver.Options["max-size"] = "1000g" }},
		"ImageID":       {"Another tenant's private image.", func(s *swarm.ServiceSpec) { con(s).Image = "sha256:" + hex64 }},
		"BareImageID":   {"The same without its prefix.", func(s *swarm.ServiceSpec) { con(s).Image = hex64 }},
		"NoImage":       {"Nothing to run.", func(s *swarm.ServiceSpec) { con(s).Image = "" }},
		"EndlessGrace":  {"It outlives the service, invisible.", func(s *swarm.ServiceSpec) { con(s).StopGracePeriod = new(8760 * time.Hour) }},
		"NegativeGrace": {"The engine takes it.", func(s *swarm.ServiceSpec) { con(s).StopGracePeriod = new(-time.Second) }},
		"EnginesGrace":  {"What is not said is the engine's choice.", func(s *swarm.ServiceSpec) { con(s).StopGracePeriod = nil }},
		"NamedUser":     {"The image's passwd may say 0.", func(s *swarm.ServiceSpec) { con(s).User = "app" }},
		"SignedUser":    {"The engine reads it as 0.", func(s *swarm.ServiceSpec) { con(s).User = "+0" }},
		"Groups":        {"The group docker on the node.", func(s *swarm.ServiceSpec) { con(s).Groups = []string{"998"} }},
		"Seccomp": {"Newer engines obey.", func(s *swarm.ServiceSpec) {
			con(s).Privileges = &swarm.Privileges{Seccomp: &swarm.SeccompOpts{Mode: "unconfined"}}
		}},
		"EmptyPrivileges": {"Nobody has asked for it.", func(s *swarm.ServiceSpec) { con(s).Privileges = &swarm.Privileges{} }},
		"OOMScore":        {"The tenant's process would be killed last.", func(s *swarm.ServiceSpec) { con(s).OomScoreAdj = -1000 }},
		"Isolation":       {"Not a word for this platform.", func(s *swarm.ServiceSpec) { con(s).Isolation = container.IsolationProcess }},
		"Terminal":        {"Nobody attaches.", func(s *swarm.ServiceSpec) { con(s).TTY = true }},
		"Stdin":           {"Nobody attaches.", func(s *swarm.ServiceSpec) { con(s).OpenStdin = true }},
		"DNS":             {"Queries leave the namespace.", func(s *swarm.ServiceSpec) { con(s).DNSConfig = &swarm.DNSConfig{Nameservers: []string{"8.8.8.8"}} }},
		"Sysctl":          {"It is the node's.", func(s *swarm.ServiceSpec) { con(s).Sysctls["kernel.core_pattern"] = "|/x" }},
		"NoRestartDelay":  {"The engine would do nothing else.", func(s *swarm.ServiceSpec) { s.TaskTemplate.RestartPolicy.Delay = new(time.Duration(0)) }},
		"HotHealthCheck":  {"The engine would do nothing else.", func(s *swarm.ServiceSpec) { con(s).Healthcheck.Interval = time.Millisecond }},
		"StartInterval":   {"Not on the list.", func(s *swarm.ServiceSpec) { con(s).Healthcheck.StartInterval = time.Second }},
		"GPU": {"Not on the list.", func(s *swarm.ServiceSpec) {
			s.TaskTemplate.Resources.Reservations.GenericResources = []swarm.GenericResource{{}}
		}},
		"EnvWithoutName": {"The engine would take it from the node's own environment.", func(s *swarm.ServiceSpec) { con(s).Env = []string{"PATH"} }},
		"ZeroByte":       {"What arrives is not what was checked.", func(s *swarm.ServiceSpec) { con(s).Env[0] += "\x00" }},
		"NoUTF8":         {"JSON would make something else of it.", func(s *swarm.ServiceSpec) { con(s).Args[0] = "\xff" }},
		"TwoNames":       {"The engine drops the second.", func(s *swarm.ServiceSpec) { con(s).Hosts[0] += " b" }},
		"StackLabel":     {"The service would be removed with somebody's stack.", func(s *swarm.ServiceSpec) { s.Labels["com.docker.stack.namespace"] = "other" }},
		"OtherOwner":     {"Ownership is decided by it.", func(s *swarm.ServiceSpec) { s.Labels["io.dogker.uid"] = "uid-2" }},
		"NoOwner":        {"Nobody could ever remove it.", func(s *swarm.ServiceSpec) { delete(s.Labels, "io.dogker.managed") }},
		"OtherName":      {"It is another object's.", func(s *swarm.ServiceSpec) { s.Name = "acme_db" }},
		"NoName":         {"The engine would make one up.", func(s *swarm.ServiceSpec) { s.Name = "" }},
		"ReservedLabel":  {"Dogker's own, in any case.", func(s *swarm.ServiceSpec) { con(s).Labels["IO.dogker.uid"] = "uid-2" }},
		"LabelKey":       {"Not a key.", func(s *swarm.ServiceSpec) { con(s).Labels["a b"] = "" }},
		"PortTwice": {"The engine would refuse it, naming somebody.", func(s *swarm.ServiceSpec) {
			s.EndpointSpec.Ports = append(s.EndpointSpec.Ports, s.EndpointSpec.Ports[0])
		}},
		"RandomPort":     {"The engine would choose one.", func(s *swarm.ServiceSpec) { s.EndpointSpec.Ports[0].PublishedPort = 0 }},
		"MeshWithoutVIP": {"The engine would refuse it.", func(s *swarm.ServiceSpec) { s.EndpointSpec.Mode = "dnsrr" }},
		"NoEndpoint":     {"The engine would choose.", func(s *swarm.ServiceSpec) { s.EndpointSpec = nil }},
		"NoContainer":    {"Nothing to run.", func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec = nil }},
		"ManyReplicas":   {"Each is a record in Raft.", func(s *swarm.ServiceSpec) { s.Mode.Replicated.Replicas = new(uint64(math.MaxInt64)) }},
		"NotANumber":     {"It compares false with everything.", func(s *swarm.ServiceSpec) { s.UpdateConfig.MaxFailureRatio = float32(math.NaN()) }},
		"RollbackOfOne":  {"A rollback has nothing to go back to.", func(s *swarm.ServiceSpec) { s.RollbackConfig.FailureAction = "rollback" }},
		"ManyVariables":  {"Each task carries them through Raft.", func(s *swarm.ServiceSpec) { con(s).Env = []string{"A=" + strings.Repeat("x", 64<<10)} }},
		"LongArguments": {"The same.", func(s *swarm.ServiceSpec) {
			con(s).Args = []string{strings.Repeat("x", 40<<10), strings.Repeat("x", 40<<10)}
		}},
		"ManyLabels":      {"The same.", func(s *swarm.ServiceSpec) { fill(con(s).Labels, 9, 4<<10) }},
		"UnknownEndpoint": {"Not on the list.", func(s *swarm.ServiceSpec) { s.EndpointSpec = &swarm.EndpointSpec{Mode: "x"} }},
		"NilReplicas":     {"The engine would choose.", func(s *swarm.ServiceSpec) { s.Mode.Replicated.Replicas = nil }},
		"NoConfigTarget":  {"The engine would refuse it, with a text that names nothing.", func(s *swarm.ServiceSpec) { con(s).Configs[0].File = nil }},
		"ConfigTwice":     {"One would hide the other.", func(s *swarm.ServiceSpec) { con(s).Configs[0].File.Name = con(s).Mounts[0].Target }},
		"PathWithNewline": {"No file has such a name.", func(s *swarm.ServiceSpec) { con(s).Dir = "/a\nb" }},
		"PathUnderProc":   {"The kernel's own.", func(s *swarm.ServiceSpec) { con(s).Mounts[0].Target = "/proc/sys" }},
		"PathIsDev":       {"The engine's own.", func(s *swarm.ServiceSpec) { con(s).Mounts[0].Target = "/dev" }},
		"HostsNoAddress":  {"A name in place of the address.", func(s *swarm.ServiceSpec) { con(s).Hosts[0] = "db.example db" }},
		"HostsZone":       {"An interface of the node.", func(s *swarm.ServiceSpec) { con(s).Hosts[0] = "fe80::1%eth0 db" }},
		"LongNote":        {"Our own labels are short.", func(s *swarm.ServiceSpec) { s.Labels["io.dogker.image"] = strings.Repeat("x", 4<<10+1) }},
		"LongLabel":       {"Nobody reads that.", func(s *swarm.ServiceSpec) { con(s).Labels["a"] = strings.Repeat("x", 16<<10+1) }},
		"LongSysctl":      {"No kernel reads that.", func(s *swarm.ServiceSpec) { con(s).Sysctls["net.ipv4.tcp_rmem"] = strings.Repeat("1", 1<<10+1) }},
		"NoneWithOptions": {"The engine refuses it when the task starts.", func(s *swarm.ServiceSpec) { s.TaskTemplate.LogDriver.Name = "none" }},
		"LargeSpec":       {"The same, as a whole.", func(s *swarm.ServiceSpec) { con(s).Healthcheck.Test = manyOf(strings.Repeat("x", 16<<10), 17) }},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := safe()
			tc.change(&s)
			if err := Check(s, facts()); !IsRefusal(err) {
				t.Errorf("%s\nCheck: got %v, want a refusal", tc.reason, err)
			}
		})
	}
}

func fill(m map[string]string, n, bytes int) {
	for i := range n {
		m[fmt.Sprint("k", i)] = strings.Repeat("x", bytes)
	}
}

func manyOf(s string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = s
	}

	return out
}

func TestCheckWithoutFactsRefusesAll(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*Facts)
	}{
		"NoUID":     {"Ownership is decided by it.", func(f *Facts) { f.Owner.UID = "" }},
		"NoNetwork": {"An empty ID must not equal an empty target.", func(f *Facts) { f.NetworkID = "" }},
		"NoSecrets": {"Nothing is the namespace's own.", func(f *Facts) { f.Secrets = nil }},
		"Nothing":   {"What is not known is not allowed.", func(f *Facts) { *f = Facts{} }},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, f := safe(), facts()
			tc.change(&f)
			if f.Owner.UID == "" {
				delete(s.Labels, "io.dogker.uid")
			}
			if f.NetworkID == "" {
				s.TaskTemplate.Networks[0].Target = ""
			}
			if err := Check(s, f); !IsRefusal(err) {
				t.Errorf("%s\nCheck: got %v, want a refusal", tc.reason, err)
			}
		})
	}
}

func TestRefusalShowsNoValues(t *testing.T) {
	s := safe()
	con(&s).Env = []string{"PASSWORD=correct horse {{battery}}", "correct horse"}

	err := Check(s, facts())
	if err == nil || strings.Contains(err.Error(), "horse") {
		t.Errorf("Check: got %v, want a refusal that shows no values", err)
	}
	if got := err.Error(); !strings.HasPrefix(got, `service spec "acme_web" is not safe to send: `) {
		t.Errorf("refusal: got %q", got)
	}
}

// TestCheckWantsNoNewPrivileges: where the facts demand it, nothing else will do.
func TestCheckWantsNoNewPrivileges(t *testing.T) {
	for name, privileges := range map[string]*swarm.Privileges{"None": nil, "Empty": {}, "Seccomp": {Seccomp: &swarm.SeccompOpts{}}} {
		t.Run(name, func(t *testing.T) {
			s, f := safe(), facts()
			f.NoNewPrivileges, con(&s).Privileges = true, privileges
			if err := Check(s, f); !IsRefusal(err) {
				t.Errorf("Check: got %v, want a refusal", err)
			}
		})
	}
}

// TestCheckKeepsOffManagers: where the facts demand it, only a constraint that no manager fulfils will do.
func TestCheckKeepsOffManagers(t *testing.T) {
	cases := map[string]struct {
		reason      string
		constraints []string
		refused     bool
	}{
		"NotManager":    {reason: "What the renderer writes.", constraints: []string{"node.role!=manager"}},
		"Worker":        {reason: "The same in other words.", constraints: []string{"node.role == WORKER"}},
		"None":          {reason: "Swarm takes any node.", refused: true},
		"Manager":       {reason: "The opposite.", constraints: []string{"node.role==manager"}, refused: true},
		"NotWorker":     {reason: "The opposite in other words.", constraints: []string{"node.role!=worker"}, refused: true},
		"LabelOfThat":   {reason: "A label that is called so proves nothing.", constraints: []string{"node.labels.role==worker"}, refused: true},
		"OtherProperty": {reason: "A manager may have it.", constraints: []string{"node.labels.zone==a"}, refused: true},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, f := safe(), facts()
			f.OffManagers, s.TaskTemplate.Placement.Constraints = true, append(tc.constraints, "node.id==n1")
			if err := Check(s, f); IsRefusal(err) != tc.refused {
				t.Errorf("%s\nCheck: got %v, want a refusal: %v", tc.reason, err, tc.refused)
			}
		})
	}
}
