package servicespec

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

// Swarm removes a service at once and lets its tasks stop in their own time, out of everybody's sight. The cap keeps a
// long grace from being free compute.
const (
	defaultGraceSeconds = 30
	maxGraceSeconds     = 60
)

// defaultTmpfsMode is what the engine gives a tmpfs without a mode.
const defaultTmpfsMode = 0o1777

// container is the process and its surroundings. It never has a terminal, more privileges than by the engine's defaults,
// or mounts from the node.
func (b *builder) container() *swarm.ContainerSpec {
	grace := min(max(orDefault(b.t.TerminationGracePeriodSeconds, defaultGraceSeconds), 0), maxGraceSeconds)
	stop := time.Duration(grace) * time.Second
	secrets, configs := b.files()

	b.checkTexts()

	c := &swarm.ContainerSpec{
		Image:           b.in.Image,
		Command:         texts(b.t.Command),
		Args:            texts(b.t.Args),
		Dir:             string(b.t.WorkingDir),
		Env:             slices.Clone(b.in.Env),
		Hostname:        string(b.t.Hostname),
		Hosts:           b.hosts(),
		StopSignal:      b.t.StopSignal,
		StopGracePeriod: &stop,
		Healthcheck:     b.healthCheck(),
		Secrets:         secrets,
		Configs:         configs,
		Mounts:          b.mounts(),
		Sysctls:         plainMap(b.t.Sysctls),
		Ulimits:         b.ulimits(),
		Labels:          plainMap(b.t.Labels),
	}
	b.secure(c)
	if b.in.NoNewPrivileges {
		c.Privileges = &swarm.Privileges{NoNewPrivileges: true}
	}

	return c
}

// checkTexts refuses what no string of the engine may hold. The schema does so too; this does not depend on it.
func (b *builder) checkTexts() {
	b.clean("spec.command", texts(b.t.Command)...)
	b.clean("spec.args", texts(b.t.Args)...)
	b.clean("spec.env", b.in.Env...)
	for _, key := range slices.Sorted(maps.Keys(b.t.Labels)) {
		b.clean(fmt.Sprintf("spec.labels[%s]", key), string(b.t.Labels[key]))
	}
	for _, key := range slices.Sorted(maps.Keys(b.t.Sysctls)) {
		b.clean(fmt.Sprintf("spec.sysctls[%s]", key), string(b.t.Sysctls[key]))
	}
	if h := b.t.HealthCheck; h != nil && h.Exec != nil {
		b.clean("spec.healthCheck.exec.command", texts(h.Exec.Command)...)
	}
}

// secure sets what the process may do.
func (b *builder) secure(c *swarm.ContainerSpec) {
	s := b.t.Security
	if s == nil {
		return
	}

	switch {
	case s.RunAsUser != nil && s.RunAsGroup != nil:
		c.User = fmt.Sprintf("%d:%d", *s.RunAsUser, *s.RunAsGroup)
	case s.RunAsUser != nil:
		// The engine then takes the group that the image's passwd file has for the user, or 0, as Kubernetes does.
		c.User = strconv.FormatInt(*s.RunAsUser, 10)
	case s.RunAsGroup != nil:
		b.refuse("spec.security.runAsGroup", "needs runAsUser")
	}

	c.ReadOnly = s.ReadOnlyRootFilesystem
	if s.Init != nil {
		c.Init = new(*s.Init)
	}
	if s.Capabilities != nil {
		c.CapabilityAdd = capabilities(s.Capabilities.Add)
		c.CapabilityDrop = capabilities(s.Capabilities.Drop)
	}
}

// capabilities in the engine's spelling. It knows ALL without the prefix.
func capabilities(names []string) []string {
	var out []string
	for _, name := range names {
		if name != "ALL" {
			name = "CAP_" + name
		}
		out = append(out, name)
	}
	slices.Sort(out)

	return slices.Compact(out)
}

// hosts are lines of /etc/hosts. The format allows aliases behind the first name, but the engine drops them: so each
// name gets its own line.
func (b *builder) hosts() []string {
	var lines []string
	for _, h := range b.t.ExtraHosts {
		for _, name := range h.Hostnames {
			lines = append(lines, h.IP+" "+string(name))
		}
	}
	slices.Sort(lines)

	return slices.Compact(lines)
}

// files refer to the Swarm objects that hold the content. Targets are absolute paths: a relative one would land in
// /run/secrets for a secret and in / for a config.
func (b *builder) files() (secrets []*swarm.SecretReference, configs []*swarm.ConfigReference) {
	files := slices.Clone(b.in.Files)
	slices.SortFunc(files, func(x, y ResolvedFile) int { return cmp.Compare(x.Path, y.Path) })

	for i, f := range files {
		if i > 0 && files[i-1].Path == f.Path {
			b.refuse(fmt.Sprintf("spec.files[%s].path", f.Path), "must be unique")
		}

		uid, gid := strconv.FormatInt(f.UID, 10), strconv.FormatInt(f.GID, 10)
		mode := os.FileMode(f.Mode)

		if f.Kind == KindSecret {
			secrets = append(secrets, &swarm.SecretReference{
				SecretID: f.SwarmID, SecretName: f.SwarmName,
				File: &swarm.SecretReferenceFileTarget{Name: f.Path, UID: uid, GID: gid, Mode: mode},
			})

			continue
		}
		configs = append(configs, &swarm.ConfigReference{
			ConfigID: f.SwarmID, ConfigName: f.SwarmName,
			File: &swarm.ConfigReferenceFileTarget{Name: f.Path, UID: uid, GID: gid, Mode: mode},
		})
	}

	return secrets, configs
}

// mounts are volumes, and file systems in memory, which the engine mounts noexec, nosuid and nodev. Nothing of a node is
// mounted by its path. One may lie below another: the engine mounts the shorter path first.
func (b *builder) mounts() []mount.Mount {
	taken := map[string]bool{}
	for _, f := range b.in.Files {
		taken[f.Path] = true
	}

	var mounts []mount.Mount
	for _, t := range b.t.Tmpfs {
		path := string(t.MountPath)
		field := fmt.Sprintf("spec.tmpfs[%s]", path)
		if taken[path] {
			b.refuse(field+".mountPath", "must not be the path of a file or of another tmpfs")
		}
		taken[path] = true

		// The engine takes mode 0 for "not set" and would make it 01777.
		if t.Mode != nil && *t.Mode == 0 {
			b.refuse(field+".mode", "must not be 0: the engine would take it for not set")
		}

		mounts = append(mounts, mount.Mount{
			Type:   mount.TypeTmpfs,
			Target: path,
			TmpfsOptions: &mount.TmpfsOptions{
				SizeBytes: t.Size.Value(),
				Mode:      os.FileMode(orDefault(t.Mode, defaultTmpfsMode)),
			},
		})
	}
	mounts = append(mounts, b.volumeMounts(taken)...)
	slices.SortFunc(mounts, byTarget)

	return mounts
}

func (b *builder) ulimits() []*container.Ulimit {
	var out []*container.Ulimit
	for _, u := range b.t.Ulimits {
		out = append(out, &container.Ulimit{Name: u.Name, Soft: u.Soft, Hard: u.Hard})
	}
	slices.SortFunc(out, func(x, y *container.Ulimit) int { return cmp.Compare(x.Name, y.Name) })

	return out
}

// plainMap is a map with plain strings in it.
func plainMap[T ~string](in map[string]T) map[string]string {
	if len(in) == 0 {
		return nil
	}

	out := make(map[string]string, len(in))
	for key, value := range in {
		out[key] = string(value)
	}

	return out
}
