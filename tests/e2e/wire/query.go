package wire

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// requestID is that of every answer in XML.
const requestID = "00000000-0000-4000-8000-000000000000"

// query is what the two query protocols have in common: requests.
type query struct{}

// parse reads "Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1".
func (query) parse(body []byte) (any, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("read the form: %w", err)
	}
	form.Del("Action")
	form.Del("Version")
	root := map[string]any{}
	for key := range form {
		at, names := root, strings.Split(key, ".")
		for _, name := range names[:len(names)-1] {
			inner, ok := at[name].(map[string]any)
			if !ok {
				inner = map[string]any{}
				at[name] = inner
			}
			at = inner
		}
		at[names[len(names)-1]] = form.Get(key)
	}
	return root, nil
}

// awsQuery is AWS query.
type awsQuery struct{ query }

func (awsQuery) accept(w http.ResponseWriter, operation string, output any) {
	sendXML(w, http.StatusOK, operation+"Response", "member", map[string]any{
		operation + "Result": answer(output, asIs), "ResponseMetadata": map[string]any{"RequestId": requestID},
	})
}

func (awsQuery) refuse(w http.ResponseWriter, r refusal) {
	sendXML(w, r.status, "ErrorResponse", "member", map[string]any{
		"Error": map[string]any{"Type": r.side(), "Code": r.code, "Message": r.message}, "RequestId": requestID,
	})
}

// ec2Query is EC2 query.
type ec2Query struct{ query }

func (ec2Query) accept(w http.ResponseWriter, operation string, output any) {
	tree := answer(output, ofEC2)
	tree["requestId"] = requestID
	sendXML(w, http.StatusOK, operation+"Response", "item", tree)
}

func (ec2Query) refuse(w http.ResponseWriter, r refusal) {
	sendXML(w, r.status, "Response", "Error", map[string]any{
		"Errors": []any{map[string]any{"Code": r.code, "Message": r.message}}, "RequestID": requestID,
	})
}

// ofEC2 names fields as EC2 does: lists are sets, some named in the plural (the SDK's awsEc2query_deserializeDocumentNetworkInterface
// and the like).
func ofEC2(owner reflect.Type, f reflect.StructField) string {
	switch name := lowerFirst(f.Name); {
	case name == "state" && owner.Name() == "Instance":
		return "instanceState"
	case f.Type.Kind() != reflect.Slice, name == "networkCards", strings.HasSuffix(name, "Set"):
		return name
	case name == "instances", name == "privateIpAddresses":
		return name + "Set"
	case strings.HasSuffix(name, "Prefixes"):
		return strings.TrimSuffix(name, "es") + "Set"
	default:
		return strings.TrimSuffix(name, "s") + "Set"
	}
}

func sendXML(w http.ResponseWriter, status int, element, item string, tree any) {
	d := document{item: item}
	d.write(element, tree)
	send(w, "text/xml", status, []byte(d.String()))
}

// document is an XML document in the making.
type document struct {
	strings.Builder
	item string // name of the elements of lists
}

func (d *document) write(element string, tree any) {
	d.WriteString("<" + element + ">")
	switch tree := tree.(type) {
	case []any:
		for _, part := range tree {
			d.write(d.item, part)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(tree)) {
			d.write(name, tree[name])
		}
	case time.Time:
		d.WriteString(tree.UTC().Format(time.RFC3339Nano))
	default:
		_ = xml.EscapeText(d, fmt.Append(nil, tree)) // a Builder takes everything
	}
	d.WriteString("</" + element + ">")
}
