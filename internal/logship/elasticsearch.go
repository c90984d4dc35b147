package logship

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"time"
)

// elasticsearch is Elasticsearch, OpenSearch, and what takes the same bulk requests.
type elasticsearch struct{}

var _ dialect = elasticsearch{}

// indexName is how an index or a data stream may be called; both servers refuse more than this does.
var indexName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,199}$`)

var errIndex = errors.New("must end in the name of an index or a data stream, of lower-case letters, digits, '-', '_' and '.', such as /logs-dogker-default")

// document is what is stored for a line. Its fields are called as those of other logs there.
type document struct {
	Time      time.Time `json:"@timestamp"`
	Tenant    string    `json:"tenant"`
	Container string    `json:"container"`
	Pod       string    `json:"pod"`
	Node      string    `json:"node"`
	Stream    string    `json:"stream"`
	Message   string    `json:"message"`
}

// action comes before each document. create never replaces one.
type action struct {
	Create struct {
		ID string `json:"_id"`
	} `json:"create"`
}

func (elasticsearch) path(given string) (string, error) {
	if !indexName.MatchString(path.Base(given)) {
		return "", errIndex
	}

	return given + "/_bulk?filter_path=errors,items.*.status", nil
}

func (elasticsearch) contentType() string { return "application/x-ndjson" }

func (elasticsearch) body(lines []*entry) ([]byte, error) {
	var out bytes.Buffer
	// It ends each value with a newline, as is wanted.
	write := json.NewEncoder(&out)
	for _, e := range lines {
		var a action
		a.Create.ID = idOf(e)
		err := write.Encode(a)
		if err == nil {
			err = write.Encode(document{
				Time: e.time, Tenant: e.source.tenant, Container: e.source.container, Pod: e.source.pod, Node: e.source.node,
				Stream: e.stream.String(), Message: e.text,
			})
		}
		if err != nil {
			return nil, err
		}
	}

	return out.Bytes(), nil
}

// idOf is the same each time that a line is sent, and another one for each line.
func idOf(e *entry) string {
	b := make([]byte, 0, 96)
	b = append(b, e.source.task...)
	b = append(b, '/', byte(e.stream), '/')
	b = strconv.AppendInt(b, e.time.UnixNano(), 36)
	b = append(b, '/')
	b = strconv.AppendUint(b, e.hash, 36)
	b = append(b, '/')
	b = strconv.AppendInt(b, int64(e.ordinal), 36)
	sum := sha256.Sum256(b)

	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// verdicts: each line has a status of its own.
func (elasticsearch) verdicts(answer []byte, lines int) ([]verdict, error) {
	var got struct {
		Errors *bool `json:"errors"`
		Items  []map[string]struct {
			Status int `json:"status"`
		} `json:"items"`
	}
	if err := json.Unmarshal(answer, &got); err != nil || got.Errors == nil {
		return nil, errors.New("it does not answer as Elasticsearch does")
	}
	if !*got.Errors {
		return nil, nil
	}
	if len(got.Items) != lines {
		return nil, errors.New("it does not say what became of each line")
	}
	out, none, status := make([]verdict, lines), true, 0
	for i, item := range got.Items {
		out[i] = later // What nothing is said of was not taken.
		for _, r := range item {
			out[i], status = verdictOf(r.Status), r.Status
		}
		none = none && out[i] == later
	}
	if none {
		// There is no such index, it may not be written to, or there is no time for anybody.
		return nil, fmt.Errorf("it answers, and takes no line for now: %d", status)
	}

	return out, nil
}

func verdictOf(status int) verdict {
	switch {
	case status/100 == 2, status == http.StatusConflict: // There is one with its ID: the same, sent before.
		return accepted
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, status == http.StatusUnprocessableEntity:
		return refused
	default:
		return later
	}
}
