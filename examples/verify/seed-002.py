import hmac
import hashlib
from flask import Flask, request, abort

app = Flask(__name__)

def verify_signature(payload, signature, secret):
    expected_signature = hmac.new(
        secret.encode('utf-8'),
        payload,
        hashlib.sha256
    ).hexdigest()
    
    received_signature = signature.replace('sha256=', '')
    
    return hmac.compare_digest(expected_signature, received_signature)

@app.route('/webhooks/bigledger', methods=['POST'])
def handle_webhook():
    signature = request.headers.get('X-Signature')
    payload = request.get_data()
    
    if not verify_signature(payload, signature, WEBHOOK_SECRET):
        abort(401)
    
    event = request.get_json()
    
    # Process webhook event
    if event['event'] == 'invoice.paid':
        handle_invoice_paid(event['data']['object'])
    elif event['event'] == 'payment.received':
        handle_payment_received(event['data']['object'])
    
    return 'OK', 200
