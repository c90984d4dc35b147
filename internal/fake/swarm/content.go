package swarm

import (
	"context"
	"strings"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
)

const (
	maxSecret = 512_000   // bytes, exclusive
	maxConfig = 1_024_000 // bytes, exclusive
)

type secret struct {
	born
	swarm.Secret
}

type config struct {
	born
	swarm.Config
}

// SecretCreate stores a secret. Its data is never given back.
func (c *Client) SecretCreate(ctx context.Context, spec swarm.SecretSpec) (swarm.SecretCreateResponse, error) {
	return do(ctx, c, "SecretCreate", spec.Name, true, func() (swarm.SecretCreateResponse, error) {
		if len(spec.Data) == 0 || len(spec.Data) >= maxSecret {
			return swarm.SecretCreateResponse{}, invalid("secret data must be larger than 0 and less than %d bytes", maxSecret)
		}

		if _, taken := find(c.cluster.secrets, spec.Name, (*secret).name); taken {
			return swarm.SecretCreateResponse{}, alreadyExists("secret %s already exists", spec.Name)
		}

		s := &secret{born: c.cluster.next()}
		s.ID, s.Spec = c.cluster.newID(), clone(spec)
		s.Meta = c.cluster.meta(s.Meta)
		s.Spec.Data = nil
		s.Spec.Labels = orEmpty(s.Spec.Labels)
		c.cluster.secrets[s.ID] = s
		c.cluster.emit(events.SecretEventType, events.ActionCreate, s.ID, map[string]string{"name": spec.Name})

		return swarm.SecretCreateResponse{ID: s.ID}, nil
	})
}

// ConfigCreate stores a config.
func (c *Client) ConfigCreate(ctx context.Context, spec swarm.ConfigSpec) (swarm.ConfigCreateResponse, error) {
	return do(ctx, c, "ConfigCreate", spec.Name, true, func() (swarm.ConfigCreateResponse, error) {
		if len(spec.Data) == 0 || len(spec.Data) >= maxConfig {
			return swarm.ConfigCreateResponse{}, invalid("config data must be larger than 0 and less than %d bytes", maxConfig)
		}

		if _, taken := find(c.cluster.configs, spec.Name, (*config).name); taken {
			return swarm.ConfigCreateResponse{}, alreadyExists("config %s already exists", spec.Name)
		}

		o := &config{born: c.cluster.next()}
		o.ID, o.Spec = c.cluster.newID(), clone(spec)
		o.Meta = c.cluster.meta(o.Meta)
		o.Spec.Labels = orEmpty(o.Spec.Labels)
		c.cluster.configs[o.ID] = o
		c.cluster.emit(events.ConfigEventType, events.ActionCreate, o.ID, map[string]string{"name": spec.Name})

		return swarm.ConfigCreateResponse{ID: o.ID}, nil
	})
}

// SecretList lists secrets.
func (c *Client) SecretList(ctx context.Context, options swarm.SecretListOptions) ([]swarm.Secret, error) {
	return do(ctx, c, "SecretList", "", false, func() ([]swarm.Secret, error) {
		var out []swarm.Secret

		for _, s := range sorted(c.cluster.secrets) {
			if matches(options.Filters, s.ID, s.Spec.Annotations) {
				out = append(out, show(s.Secret))
			}
		}

		return out, nil
	})
}

// ConfigList lists configs.
func (c *Client) ConfigList(ctx context.Context, options swarm.ConfigListOptions) ([]swarm.Config, error) {
	return do(ctx, c, "ConfigList", "", false, func() ([]swarm.Config, error) {
		var out []swarm.Config

		for _, o := range sorted(c.cluster.configs) {
			if matches(options.Filters, o.ID, o.Spec.Annotations) {
				out = append(out, show(o.Config))
			}
		}

		return out, nil
	})
}

// SecretInspectWithRaw shows one secret, without its data.
func (c *Client) SecretInspectWithRaw(ctx context.Context, ref string) (swarm.Secret, []byte, error) {
	s, err := do(ctx, c, "SecretInspectWithRaw", ref, false, func() (swarm.Secret, error) {
		s, ok := find(c.cluster.secrets, ref, (*secret).name)
		if !ok {
			return swarm.Secret{}, notFound("secret", ref)
		}

		return show(s.Secret), nil
	})

	return s, nil, err
}

// ConfigInspectWithRaw shows one config.
func (c *Client) ConfigInspectWithRaw(ctx context.Context, ref string) (swarm.Config, []byte, error) {
	o, err := do(ctx, c, "ConfigInspectWithRaw", ref, false, func() (swarm.Config, error) {
		o, ok := find(c.cluster.configs, ref, (*config).name)
		if !ok {
			return swarm.Config{}, notFound("config", ref)
		}

		return show(o.Config), nil
	})

	return o, nil, err
}

// SecretRemove removes a secret that no service's present spec refers to. A previous spec does not hold it.
func (c *Client) SecretRemove(ctx context.Context, ref string) error {
	_, err := do(ctx, c, "SecretRemove", ref, true, func() (struct{}, error) {
		s, ok := find(c.cluster.secrets, ref, (*secret).name)
		if !ok {
			return struct{}{}, notFound("secret", ref)
		}

		if users := c.cluster.servicesWith(func(spec *swarm.ContainerSpec) bool {
			for _, r := range spec.Secrets {
				if r.SecretID == s.ID {
					return true
				}
			}

			return false
		}); len(users) > 0 {
			return struct{}{}, inUse("secret", s.name(), users)
		}

		delete(c.cluster.secrets, s.ID)
		c.cluster.emit(events.SecretEventType, events.ActionRemove, s.ID, map[string]string{"name": s.name()})

		return struct{}{}, nil
	})

	return err
}

// ConfigRemove removes a config that no service's present spec refers to.
func (c *Client) ConfigRemove(ctx context.Context, ref string) error {
	_, err := do(ctx, c, "ConfigRemove", ref, true, func() (struct{}, error) {
		o, ok := find(c.cluster.configs, ref, (*config).name)
		if !ok {
			return struct{}{}, notFound("config", ref)
		}

		if users := c.cluster.servicesWith(func(spec *swarm.ContainerSpec) bool {
			for _, r := range spec.Configs {
				if r.ConfigID == o.ID {
					return true
				}
			}

			return false
		}); len(users) > 0 {
			return struct{}{}, inUse("config", o.name(), users)
		}

		delete(c.cluster.configs, o.ID)
		c.cluster.emit(events.ConfigEventType, events.ActionRemove, o.ID, map[string]string{"name": o.name()})

		return struct{}{}, nil
	})

	return err
}

func (s *secret) name() string { return s.Spec.Name }

func (o *config) name() string { return o.Spec.Name }

// servicesWith returns the names of services whose present container spec is such.
func (c *Cluster) servicesWith(such func(*swarm.ContainerSpec) bool) []string {
	var names []string

	for _, s := range sorted(c.services) {
		if such(s.Spec.TaskTemplate.ContainerSpec) {
			names = append(names, s.Spec.Name)
		}
	}

	return names
}

func inUse(kind, name string, users []string) error {
	what := "service"
	if len(users) > 1 {
		what = "services"
	}

	return invalid("%s '%s' is in use by the following %s: %s", kind, name, what, strings.Join(users, ", "))
}

// matches applies the filters that all objects of the swarm have. Names and IDs match by their beginning, as in Swarm.
func matches(f filters.Args, id string, a swarm.Annotations) bool {
	return byPrefix(f.Get("name"), a.Name) && byPrefix(f.Get("id"), id) && f.MatchKVList("label", a.Labels)
}

func byPrefix(prefixes []string, s string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}

	return len(prefixes) == 0
}

func orEmpty(labels map[string]string) map[string]string {
	if labels == nil {
		return map[string]string{}
	}

	return labels
}
