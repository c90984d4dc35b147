package compose

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	maxFiles = 64
	// secretsDir is where secrets are that name no path.
	secretsDir = "/run/secrets/"
)

// mount is a config or a secret as a service asks for it.
type mount struct {
	types.FileReferenceConfig
	list   string
	secret bool
	target string
}

// files converts configs and secrets to files in the container.
func (s *service) files() {
	for i, ref := range s.Configs {
		m := mount{types.FileReferenceConfig(ref), "configs", false, ref.Target}
		if m.target == "" {
			m.target = "/" + ref.Source
		}
		s.file(m, i)
	}
	for i, ref := range s.Secrets {
		m := mount{types.FileReferenceConfig(ref), "secrets", true, ref.Target}
		if m.target == "" {
			m.target = ref.Source
		}
		if !path.IsAbs(m.target) {
			m.target = secretsDir + m.target
		}
		s.file(m, i)
	}
}

func (s *service) file(m mount, i int) {
	at := index(s.path(m.list), i)
	if why := aPath(m.target); why != "" {
		s.lost(at+".target", m.target, why, "name a clean absolute path")
		return
	}
	if s.mounted(v1alpha1.AbsolutePath(m.target)) {
		s.lost(at+".target", m.target, "another file is there already", "give each a path of its own")
		return
	}
	if len(s.spec.Files) == maxFiles {
		s.lost(at, m.Source, fmt.Sprintf("a container has at most %d files", maxFiles), "put several into one")
		return
	}

	ref, ok := s.refer(m)
	if !ok {
		s.lost(at, m.Source, "there is nothing to put into the file; see "+m.list+"."+m.Source, "")
		return
	}
	f := v1alpha1.File{Path: v1alpha1.AbsolutePath(m.target), UID: s.owner(at+".uid", m.UID), GID: s.owner(at+".gid", m.GID), Mode: s.mode(at+".mode", m.Mode)}
	if m.secret {
		f.SecretKeyRef = ref
	} else {
		f.ConfigMapKeyRef = ref
	}
	s.spec.Files = append(s.spec.Files, f)
}

// owner of a file: root is the default, here and in Compose.
func (s *service) owner(at, id string) *int64 {
	if id == "" || id == "0" {
		return nil
	}
	n, err := strconv.ParseInt(id, 10, 32)
	if err != nil || n < 0 {
		s.lost(at, id, "an owner is a number from 0 to 2147483647", "name the number that the image has for it")
		return nil
	}

	return &n
}

// mode of a file: 0444 is the default, here and in Compose. Nobody but its owner may write it (rule S2).
func (s *service) mode(at string, mode *types.FileMode) *int32 {
	if mode == nil || *mode == 0o444 {
		return nil
	}
	bits := int32(*mode & 0o755)
	if types.FileMode(bits) != *mode {
		s.changed(at, mode.String(), fmt.Sprintf("files are not for group and others to write, and have no bits beyond 0777, so it is 0%o", bits), "")
	}

	return &bits
}

// mounted is true when there is a file at a path already.
func (s *service) mounted(at v1alpha1.AbsolutePath) bool {
	return slices.ContainsFunc(s.spec.Files, func(f v1alpha1.File) bool { return f.Path == at })
}

// keyOf the file in the ConfigMap or Secret: what configs are read from have names that say what they are.
func keyOf(key string, o object, secret bool) string {
	if base := filepath.Base(o.File); !secret && o.File != "" && toKey(base) == base {
		return base
	}

	return toKey(key)
}
