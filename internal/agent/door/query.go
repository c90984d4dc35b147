package door

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dogker/dogker/internal/agent"
)

// check returns a value as it is sent to the engine, or says what is allowed.
type check func(value string) (string, error)

// ask reads the parameters of a request, and returns those to send.
func (r *rule) ask(raw string) (map[string]string, error) {
	given, err := url.ParseQuery(raw)
	if err != nil {
		return nil, errors.New("the query cannot be read")
	}

	query := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		check, known := r.query[name]
		switch {
		case !known && len(r.query) == 0:
			return nil, fmt.Errorf("query: %s is not allowed, and nothing else is", printable(name))
		case !known:
			return nil, fmt.Errorf("query: %s is not one of: %s", printable(name), strings.Join(slices.Sorted(maps.Keys(r.query)), ", "))
		case len(given[name]) != 1:
			return nil, fmt.Errorf("query: %s is given %d times, and may be given once", name, len(given[name]))
		}
		if query[name], err = check(given[name][0]); err != nil {
			return nil, fmt.Errorf("query: %s: %s %w", name, printable(given[name][0]), err)
		}
	}

	if r.always != nil {
		if err := r.always(query); err != nil {
			return nil, fmt.Errorf("query: %w", err)
		}
	}

	return query, nil
}

// encoded is a query for a URL.
func encoded(query map[string]string) string {
	values := url.Values{}
	for name, value := range query {
		values.Set(name, value)
	}

	return values.Encode()
}

// flag is a truth value. The engine takes whatever it does not know for true.
func flag(value string) (string, error) {
	switch strings.ToLower(value) {
	case "1", "true":
		return "1", nil
	case "", "0", "false":
		return "0", nil
	default:
		return "", errors.New("must be true or false")
	}
}

func number(most uint64) check {
	return func(value string) (string, error) {
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil || n > most {
			return "", fmt.Errorf("must be a number from 0 to %d", most)
		}

		return strconv.FormatUint(n, 10), nil
	}
}

var (
	momentPattern = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,9})?$`)
	signalPattern = regexp.MustCompile(`^(SIG)?(TERM|KILL|INT|QUIT|HUP|USR1|USR2)$`)
)

// moment is seconds since 1970, as Docker's client writes times.
func moment(value string) (string, error) {
	if value == "" || momentPattern.MatchString(value) {
		return value, nil
	}

	return "", errors.New("must be seconds since 1970, with or without a fraction")
}

func tail(value string) (string, error) {
	if value == "all" || value == "" {
		return "all", nil
	}

	return number(1 << 31)(value)
}

// signal is one that a container may be stopped with. Docker's client sends none as an empty one.
func signal(value string) (string, error) {
	if value == "" || signalPattern.MatchString(value) {
		return value, nil
	}

	return "", errors.New("must be one of TERM, KILL, INT, QUIT, HUP, USR1, USR2")
}

// selection is a list of filters as the engine reads it: for each key values of which one must fit, and of labels all.
type selection map[string]map[string]bool

// filters takes filters by some keys. The engine also reads an older notation, which it does not get to see.
func filters(keys ...string) check {
	return func(value string) (string, error) {
		s := selection{}
		if value != "" {
			if err := json.Unmarshal([]byte(value), &s); err != nil {
				return "", errors.New("must be filters as Docker's API writes them")
			}
		}
		for key := range s {
			if !slices.Contains(keys, key) {
				return "", fmt.Errorf("must be filters by %s", strings.Join(keys, ", "))
			}
		}

		return s.String(), nil
	}
}

// String is what is sent.
func (s selection) String() string {
	out, err := json.Marshal(s)
	if err != nil {
		panic(err) // Maps of strings can be marshalled.
	}

	return string(out)
}

// amend changes the filters of a query that have been checked, or were not given.
func amend(query map[string]string, change func(selection) error) error {
	s := selection{}
	if given := query["filters"]; given != "" {
		if err := json.Unmarshal([]byte(given), &s); err != nil {
			return fmt.Errorf("read filters: %w", err)
		}
	}
	if err := change(s); err != nil {
		return err
	}
	query["filters"] = s.String()

	return nil
}

// tasksOnly asks only for what belongs to tasks of Swarm.
func tasksOnly(key string) func(map[string]string) error {
	return func(query map[string]string) error {
		return amend(query, func(s selection) error {
			if s[key] == nil {
				s[key] = map[string]bool{}
			}
			s[key][agent.TaskLabel] = true

			return nil
		})
	}
}

// typed asks only for events of one type.
func typed(name string) func(map[string]string) error {
	return func(query map[string]string) error {
		return amend(query, func(s selection) error {
			for given := range s["type"] {
				if given != name {
					return fmt.Errorf("filters: type %s must be %s", printable(given), name)
				}
			}
			s["type"] = map[string]bool{name: true}

			return nil
		})
	}
}

func both(a, b func(map[string]string) error) func(map[string]string) error {
	return func(query map[string]string) error { return errors.Join(a(query), b(query)) }
}

func always(map[string]string) bool { return true }

// unlessFalse: the engine streams unless it is told not to.
func unlessFalse(name string) func(map[string]string) bool {
	return func(query map[string]string) bool {
		value, given := query[name]

		return !given || value != "0"
	}
}
