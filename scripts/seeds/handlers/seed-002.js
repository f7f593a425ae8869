// biome-ignore-all format: seed 002's own text, kept as it is
// biome-ignore-all lint: seed 002's own text, kept as it is
// biome-ignore-all assist: seed 002's own text, kept as it is
// Robust webhook handler with error handling
app.post('/webhooks/bigledger', async (req, res) => {
  try {
    const signature = req.headers['x-signature'];
    const payload = req.body;
    
    // Verify signature
    if (!verifyWebhookSignature(payload, signature, WEBHOOK_SECRET)) {
      return res.status(401).send('Invalid signature');
    }
    
    const event = JSON.parse(payload);
    
    // Check for duplicate events
    const existingEvent = await getEventFromDatabase(event.id);
    if (existingEvent) {
      console.log('Duplicate event received:', event.id);
      return res.status(200).send('Duplicate event processed');
    }
    
    // Store event for duplicate detection
    await storeEventInDatabase(event);
    
    // Process event
    await processWebhookEvent(event);
    
    res.status(200).send('Event processed successfully');
    
  } catch (error) {
    console.error('Webhook processing error:', error);
    
    // Return 200 to prevent retries for application errors
    // Return 500+ for temporary issues that should be retried
    if (error.type === 'temporary') {
      res.status(503).send('Temporary error, please retry');
    } else {
      res.status(200).send('Event processing failed');
    }
  }
});

async function processWebhookEvent(event) {
  switch (event.event) {
    case 'invoice.created':
      await handleInvoiceCreated(event.data.object);
      break;
    case 'invoice.paid':
      await handleInvoicePaid(event.data.object);
      break;
    case 'payment.received':
      await handlePaymentReceived(event.data.object);
      break;
    case 'inventory.low_stock':
      await handleLowStock(event.data.object);
      break;
    default:
      console.log('Unhandled event type:', event.event);
  }
}

// Handle order fulfillment workflow
async function handleOrderWebhooks(event) {
  switch (event.event) {
    case 'sales_order.created':
      await notifyWarehouse(event.data.object);
      await updateInventorySystem(event.data.object.items);
      break;
      
    case 'sales_order.shipped':
      await sendShippingNotification(event.data.object);
      await updateTrackingInfo(event.data.object);
      break;
      
    case 'invoice.paid':
      await releaseShipment(event.data.object.salesOrderId);
      await updateCRMStatus(event.data.object.customerId, 'paid');
      break;
      
    case 'inventory.low_stock':
      await createPurchaseOrder(event.data.object);
      await notifyBuyer(event.data.object);
      break;
  }
}

// Automate financial reporting
async function handleFinancialWebhooks(event) {
  const { event: eventType, data } = event;
  
  if (eventType === 'invoice.paid') {
    // Update cash flow forecasting
    await updateCashFlowForecast(data.object);
    
    // Check for milestone achievements
    await checkRevenueTargets(data.object);
  }
  
  if (eventType === 'bill.paid') {
    // Update expense tracking
    await updateExpenseAnalysis(data.object);
    
    // Check budget compliance
    await validateBudgetCompliance(data.object);
  }
  
  if (eventType === 'report.generated') {
    // Automatically distribute reports
    await distributeFinancialReports(data.object);
  }
}
