package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// jsonProtocol is restJson1, awsJson1.0 or awsJson1.1.
type jsonProtocol struct {
	contentType string
	name        naming
}

func restJSON() protocol { return jsonProtocol{"application/json", camel} }

// awsJSON answers in the version that was asked in.
func awsJSON(contentType string) protocol { return jsonProtocol{contentType, asIs} }

func (jsonProtocol) parse(body []byte) (any, error) {
	var said any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&said); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return textual(said), nil
}

// textual makes a tree of what encoding/json read.
func textual(said any) any {
	switch said := said.(type) {
	case json.Number:
		return said.String()
	case bool:
		return strconv.FormatBool(said)
	case []any:
		for i := range said {
			said[i] = textual(said[i])
		}
	case map[string]any:
		for k := range said {
			said[k] = textual(said[k])
		}
	}
	return said
}

func (p jsonProtocol) accept(w http.ResponseWriter, _ string, output any) {
	body, err := json.Marshal(asJSON(answer(output, p.name)))
	if err != nil {
		panic(err) // only an infinite number is no JSON
	}
	send(w, p.contentType, http.StatusOK, body)
}

func (p jsonProtocol) refuse(w http.ResponseWriter, r refusal) {
	w.Header().Set("X-Amzn-Errortype", r.shape)
	body, _ := json.Marshal(map[string]string{"__type": r.shape, "message": r.message}) // texts always are JSON
	send(w, p.contentType, r.status, body)
}

// asJSON is a tree in which encoding/json writes instants as AWS does.
func asJSON(tree any) any {
	switch tree := tree.(type) {
	case time.Time:
		return json.Number(fmt.Sprintf("%.3f", seconds(tree)))
	case []any:
		list := make([]any, len(tree))
		for i := range tree {
			list[i] = asJSON(tree[i])
		}
		return list
	case map[string]any:
		all := make(map[string]any, len(tree))
		for k, v := range tree {
			all[k] = asJSON(v)
		}
		return all
	}
	return tree
}
