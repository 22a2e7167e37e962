package wire

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// rpcCBOR is Smithy RPC v2 CBOR, as services speak it that once spoke AWS query.
type rpcCBOR struct{}

func (rpcCBOR) parse(body []byte) (any, error) {
	v, err := cbor.Decode(body)
	if err != nil {
		return nil, fmt.Errorf("read CBOR: %w", err)
	}
	return textualCBOR(v), nil
}

func textualCBOR(v cbor.Value) any {
	switch v := v.(type) {
	case cbor.Uint:
		return strconv.FormatUint(uint64(v), 10)
	case cbor.NegInt:
		return "-" + strconv.FormatUint(uint64(v), 10)
	case cbor.Float32:
		return strconv.FormatFloat(float64(v), 'f', -1, 32)
	case cbor.Float64:
		return strconv.FormatFloat(float64(v), 'f', -1, 64)
	case cbor.Bool:
		return strconv.FormatBool(bool(v))
	case cbor.String:
		return string(v)
	case cbor.Slice:
		return base64.StdEncoding.EncodeToString(v)
	case *cbor.Tag:
		return textualCBOR(v.Value)
	case cbor.List:
		list := make([]any, len(v))
		for i := range v {
			list[i] = textualCBOR(v[i])
		}
		return list
	case cbor.Map:
		all := make(map[string]any, len(v))
		for k := range v {
			all[k] = textualCBOR(v[k])
		}
		return all
	}
	return nil
}

func (rpcCBOR) accept(w http.ResponseWriter, _ string, output any) {
	sendCBOR(w, http.StatusOK, asCBOR(answer(output, asIs)))
}

// refuse says the code of the old protocol in a header, and the message in both spellings: which is an error's, its model says, as "Message" of
// ResourceNotFoundException and "message" of ResourceNotFound.
func (rpcCBOR) refuse(w http.ResponseWriter, r refusal) {
	w.Header().Set("X-Amzn-Query-Error", r.code+";"+r.side())
	text := cbor.String(r.message)
	sendCBOR(w, r.status, cbor.Map{"__type": cbor.String(r.shape), "message": text, "Message": text})
}

func sendCBOR(w http.ResponseWriter, status int, body cbor.Value) {
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	send(w, "application/cbor", status, cbor.Encode(body))
}

func asCBOR(tree any) cbor.Value {
	switch tree := tree.(type) {
	case time.Time:
		return &cbor.Tag{ID: 1, Value: cbor.Float64(seconds(tree))}
	case []any:
		list := make(cbor.List, len(tree))
		for i := range tree {
			list[i] = asCBOR(tree[i])
		}
		return list
	case map[string]any:
		all := make(cbor.Map, len(tree))
		for k, v := range tree {
			all[k] = asCBOR(v)
		}
		return all
	case bool:
		return cbor.Bool(tree)
	case int64:
		if tree < 0 {
			return cbor.NegInt(uint64(-tree))
		}
		return cbor.Uint(uint64(tree))
	case float64:
		return cbor.Float64(tree)
	case []byte:
		return cbor.Slice(tree)
	}
	return cbor.String(tree.(string))
}
