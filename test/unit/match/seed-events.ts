/** The event examples of seeds 001 and 002, to the character. */
export const SEED_EVENTS: readonly (readonly [name: string, text: string])[] = [
  [
    'seed 001, standard format',
    `{ "id": "evt_abc123def456", "type": "post.created", "created_at": "2024-01-15T10:30:00Z", "data": { "object": { "id": 123, "title": "My Blog Post", "url": "https://example.com/posts/my-blog-post" } }, "workspace_id": 456 }`,
  ],
  [
    'seed 002, invoice.paid',
    `{
  "id": "evt_987654321",
  "event": "invoice.paid",
  "timestamp": "2024-01-15T10:30:00Z",
  "livemode": true,
  "api_version": "v1",
  "data": {
    "object": {
      "id": "inv_123456789",
      "invoiceNumber": "INV-2024-0001",
      "customerId": "cust_456789012",
      "total": 2567.50,
      "amountPaid": 2567.50,
      "status": "paid",
      "paidAt": "2024-01-15T10:30:00Z"
    },
    "previous_attributes": {
      "amountPaid": 0.00,
      "status": "sent"
    }
  },
  "context": {
    "companyId": "company_abc123",
    "userId": "user_789",
    "source": "api",
    "ip": "203.0.113.1"
  }
}`,
  ],
  [
    'seed 002, invoice.created',
    `{
  "id": "evt_001",
  "event": "invoice.created",
  "timestamp": "2024-01-15T10:30:00Z",
  "data": {
    "object": {
      "id": "inv_123456789",
      "invoiceNumber": "INV-2024-0001",
      "customerId": "cust_456789012",
      "customer": {
        "id": "cust_456789012",
        "name": "Acme Corporation",
        "email": "billing@acme.com"
      },
      "invoiceDate": "2024-01-15",
      "dueDate": "2024-02-14",
      "status": "draft",
      "currency": "MYR",
      "total": 2567.50,
      "amountDue": 2567.50,
      "items": [
        {
          "description": "Professional Services",
          "quantity": 10,
          "unitPrice": 230.00,
          "total": 2300.00
        }
      ],
      "createdAt": "2024-01-15T10:30:00Z"
    }
  }
}`,
  ],
  [
    'seed 002, payment.received',
    `{
  "id": "evt_002",
  "event": "payment.received",
  "timestamp": "2024-01-20T14:45:00Z",
  "data": {
    "object": {
      "id": "pay_789012345",
      "amount": 2567.50,
      "currency": "MYR",
      "paymentDate": "2024-01-20",
      "paymentMethod": "bank_transfer",
      "reference": "TXN-20240120-001",
      "customerId": "cust_456789012",
      "invoiceId": "inv_123456789",
      "status": "completed",
      "bankAccount": {
        "name": "Main Business Account",
        "accountNumber": "***7890"
      },
      "createdAt": "2024-01-20T14:45:00Z"
    }
  }
}`,
  ],
  [
    'seed 002, inventory.low_stock',
    `{
  "id": "evt_003",
  "event": "inventory.low_stock",
  "timestamp": "2024-01-15T16:20:00Z",
  "data": {
    "object": {
      "id": "item_widget001",
      "itemCode": "WDG-001",
      "description": "Premium Widget",
      "currentStock": 15,
      "minimumStock": 20,
      "location": {
        "id": "loc_warehouse1",
        "name": "Main Warehouse"
      },
      "unitCost": 18.50,
      "stockValue": 277.50,
      "lastRestocked": "2024-01-10T09:00:00Z"
    }
  }
}`,
  ],
  [
    'seed 002, einvoice.accepted',
    `{
  "id": "evt_004",
  "event": "einvoice.accepted",
  "timestamp": "2024-01-15T10:33:00Z",
  "data": {
    "object": {
      "id": "einv_123456789",
      "invoiceId": "inv_123456789",
      "format": "PEPPOL_UBL",
      "status": "accepted",
      "uuid": "01234567-89ab-cdef-0123-456789abcdef",
      "government": {
        "portal": "myinvois",
        "submissionId": "MY-INV-2024-000001",
        "longId": "EI20240115103000001234567890",
        "acceptedAt": "2024-01-15T10:33:00Z"
      },
      "qrCode": "...",
      "pdfUrl": "https://files.bigledger.com/einvoice/einv_123456789.pdf"
    }
  }
}`,
  ],
]
