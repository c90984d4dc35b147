package compose

import (
	"fmt"
	"strings"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/policy"
)

const (
	maxWords     = 200
	maxVariables = 200
	maxGrace     = 60
)

// process converts what is started and how it is stopped.
func (s *service) process() {
	s.spec.Command = s.words("entrypoint", s.Entrypoint)
	s.spec.Args = s.words("command", s.Command)
	if dir := s.WorkingDir; dir != "" {
		if why := aPath(dir); why != "" {
			s.lost(s.path("working_dir"), dir, why, "name a clean absolute path, or let the image's own be")
		} else {
			s.spec.WorkingDir = v1alpha1.AbsolutePath(dir)
		}
	}
	s.hostname()
	s.stop()
}

// words are those of a command. What was shortened would be another command, so one that does not fit is lost as a whole.
func (s *service) words(field string, words []string) []v1alpha1.Text {
	if words == nil {
		return nil
	}
	if len(words) == 0 {
		s.lost(s.path(field), "[]", "that of the image cannot be taken away, only replaced", "write the command in full")
		return nil
	}
	if len(words) > maxWords {
		s.lost(s.path(field), words[0], fmt.Sprintf("it has more than %d words", maxWords), "put them into a script in the image")
		return nil
	}
	out := make([]v1alpha1.Text, len(words))
	for i, word := range words {
		if why := aText(word, maxText); why != "" {
			s.lost(s.path(field), words[0], why, "put it into a script or file of the image, or into a config")
			return nil
		}
		out[i] = v1alpha1.Text(word)
	}

	return out
}

func (s *service) hostname() {
	switch name := s.Hostname; {
	case name == "":
	case !isLabel(name):
		why := "a hostname is a DNS label"
		if t := aText(name, maxText); t != "" {
			why = t
		}
		s.lost(s.path("hostname"), name, why, "choose one of lower-case letters, digits and hyphens; the engine chooses otherwise")
	default:
		s.spec.Hostname = v1alpha1.DNSLabel(name)
	}
}

// signals by what else people call them.
var signals = map[string]string{
	"1": "SIGHUP", "2": "SIGINT", "3": "SIGQUIT", "10": "SIGUSR1", "12": "SIGUSR2", "15": "SIGTERM",
	"HUP": "SIGHUP", "INT": "SIGINT", "QUIT": "SIGQUIT", "USR1": "SIGUSR1", "USR2": "SIGUSR2", "TERM": "SIGTERM",
}

func (s *service) stop() {
	if name := s.StopSignal; name != "" {
		upper := strings.TrimPrefix(strings.ToUpper(name), "SIG")
		if signals[upper] == "" {
			s.lost(s.path("stop_signal"), name, "a process is stopped by SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1 or SIGUSR2", "let the program obey one of them")
		} else {
			s.spec.StopSignal = signals[upper]
		}
	}
	if d := s.StopGracePeriod; d != nil {
		s.spec.TerminationGracePeriodSeconds = new(s.seconds("stop_grace_period", *d, 0, maxGrace, "a stop takes at most 60 seconds"))
	}
}

// environment converts variables: those of env_file are among them by now.
func (s *service) environment() {
	var secretive []string
	for _, name := range sorted(s.Environment) {
		value, at := s.Environment[name], s.path("environment."+name)
		switch why := ""; {
		case value == nil:
			s.note(at, "", "it is not set where this was converted, so it is left out, as in Compose", "set it in the shell or in .env")
		case !variable.MatchString(name) || len(name) > 256:
			s.lost(at, "", "names of variables have letters, digits and underscores", "set it in a config file of the program, by configs")
		case func() bool { why = aText(*value, maxText); return why != "" }():
			s.lost(at, "", why, "put the value into a file, by configs or secrets")
		case len(s.spec.Env) == maxVariables:
			s.lost(at, "", fmt.Sprintf("a container has at most %d variables", maxVariables), "put them into a ConfigMap, and name it in envFrom")
		default:
			s.spec.Env = append(s.spec.Env, v1alpha1.EnvVar{Name: name, Value: new(v1alpha1.Text(*value))})
			// A variable that names a file holds no secret.
			if *value != "" && policy.Secretive(name) && !strings.HasSuffix(name, "_FILE") {
				secretive = append(secretive, name)
			}
		}
	}
	if len(secretive) > 0 {
		s.note(s.path("environment"), strings.Join(secretive, ", "), "they look like secrets, and everybody who may read the object can read them (rule S4)",
			"give them as secrets, in files or by valueFrom.secretKeyRef")
	}
}
