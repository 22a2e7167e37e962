package world

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

func stsCalls() map[string]handler {
	return map[string]handler{"AssumeRole": on((*World).assumeRole)}
}

// identity is who signs with an access key.
type identity struct{ principal, account string }

// What every access key has: nobody but the clusters' own APIs verifies signatures.
const (
	secretKey    = "secret"
	sessionToken = "token"
)

// identities are the access keys that were given out, one for each identity.
type identities struct {
	keys map[identity]string
	of   map[string]identity
}

// key is the access key of a principal.
func (w *World) key(who identity) string {
	key, ok := w.identities.keys[who]
	if !ok {
		if w.identities.keys == nil {
			w.identities.keys, w.identities.of = map[identity]string{}, map[string]identity{}
		}
		key = fmt.Sprintf("ASIA%016d", len(w.identities.keys)+1)
		w.identities.keys[who], w.identities.of[key] = key, who
	}
	return key
}

// secretOf is the secret key of an access key; false: nobody has it.
func (w *World) secretOf(key string) (string, bool) {
	_, known := w.identities.of[key]
	return secretKey, known
}

// forever is when credentials expire: never in virtual time, and the SDK's cache looks at real time.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// assumeRole gives the access key of a role. A role exists in every account; a fault or a missing grant denies it.
func (w *World) assumeRole(c *Call, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	arn, session := *in.RoleArn, *in.RoleSessionName
	account := accountOf(arn)
	if account == "" {
		return nil, modelled("sts", "ValidationError", arn+" is invalid")
	}
	assumed := strings.Replace(strings.Replace(arn, ":iam:", ":sts:", 1), ":role/", ":assumed-role/", 1) + "/" + session
	return &sts.AssumeRoleOutput{
		Credentials: &types.Credentials{
			AccessKeyId:     aws.String(w.key(identity{arn, account})),
			SecretAccessKey: aws.String(secretKey),
			SessionToken:    aws.String(sessionToken),
			Expiration:      aws.Time(forever),
		},
		AssumedRoleUser: &types.AssumedRoleUser{Arn: &assumed, AssumedRoleId: aws.String("AROA:" + session)},
	}, nil
}

// accountOf is the account in the ARN of a role, as arn:PARTITION:iam::ACCOUNT:role/NAME; empty: it is none.
func accountOf(arn string) string {
	p := strings.SplitN(arn, ":", 6)
	if len(p) != 6 || p[2] != "iam" || !strings.HasPrefix(p[5], "role/") {
		return ""
	}
	return p[4]
}
