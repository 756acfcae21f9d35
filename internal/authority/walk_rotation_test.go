package authority_test

import (
	"time"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
)

// inGrace is a key that the super admin rotated a moment ago.
func inGrace(rotate string, make func(w *world) credential.ID) func(w *world) any {
	return func(w *world) any {
		id := make(w)
		w.must(w.call(rotate, w.super, authority.RotateKeyInput{ID: id, Grace: time.Hour}))
		return authority.KeyInput{ID: id}
	}
}

func appInGrace(w *world) any {
	a := w.app()
	_, err := w.a.RotateApp(w.Context(), w.super, authority.RotateAppInput{ID: a.ID, Grace: time.Hour})
	w.must(err)
	return authority.AppInput{ID: a.ID}
}

// The rows of what follows a rotation (B3).
var rotationRows = map[string]row{
	"FinishAPIKeyRotation":           {action: "api_key.finish_rotation", input: inGrace("RotateAPIKey", func(w *world) credential.ID { return w.key(w.super).ID })},
	"RollBackAPIKey":                 {action: "api_key.roll_back", input: inGrace("RotateAPIKey", func(w *world) credential.ID { return w.key(w.super).ID })},
	"APIKeyPreviousUses":             {input: inGrace("RotateAPIKey", func(w *world) credential.ID { return w.key(w.super).ID })},
	"FinishVerifierKeyRotation":      {action: "verifier_key.finish_rotation", input: inGrace("RotateVerifierKey", (*world).verifier)},
	"RollBackVerifierKey":            {action: "verifier_key.roll_back", input: inGrace("RotateVerifierKey", (*world).verifier)},
	"VerifierKeyPreviousUses":        {input: inGrace("RotateVerifierKey", (*world).verifier)},
	"FinishAccountKeyRotation":       {action: "account_key.finish_rotation", input: inGrace("RotateAccountKey", func(w *world) credential.ID { return w.accountKey().ID })},
	"RollBackAccountKey":             {action: "account_key.roll_back", input: inGrace("RotateAccountKey", func(w *world) credential.ID { return w.accountKey().ID })},
	"AccountKeyPreviousUses":         {input: inGrace("RotateAccountKey", func(w *world) credential.ID { return w.accountKey().ID })},
	"FinishClientCredentialRotation": {action: "client_credential.finish_rotation", input: inGrace("RotateClientCredential", (*world).superClient)},
	"RollBackClientCredential":       {action: "client_credential.roll_back", input: inGrace("RotateClientCredential", (*world).superClient)},
	"ClientCredentialPreviousUses":   {input: inGrace("RotateClientCredential", (*world).superClient)},
	"FinishAppRotation":              {action: "app.finish_rotation", input: appInGrace},
	"RollBackApp":                    {action: "app.roll_back", input: appInGrace},
	"AppPreviousUses":                {input: appInGrace},

	"RotateServiceAccountKey": {action: "service_account_key.rotate", events: 2, input: func(w *world) any {
		return authority.RotateServiceAccountKeyInput{ID: w.accountCredential().ID, PublicKeyPEM: w.publicKey(), Grace: time.Hour}
	}},
	"FinishServiceAccountKeyRotation": {action: "service_account_key.finish_rotation", input: pairInGrace},
	"RollBackServiceAccountKey":       {action: "service_account_key.roll_back", events: 2, input: pairInGrace},
	"ServiceAccountKeyPreviousUses":   {input: pairInGrace},
}

// pairInGrace is a service account's key in whose place there is another.
func pairInGrace(w *world) any {
	id := w.accountCredential().ID
	w.must(w.call("RotateServiceAccountKey", w.super, authority.RotateServiceAccountKeyInput{ID: id, PublicKeyPEM: w.publicKey(), Grace: time.Hour}))
	return authority.KeyInput{ID: id}
}
